//! Where the store of a test's project is: in a file of its own, and on the server for tests, where there is one.

/// A store of its own for a test: settings, and the file that holds its address where it has one.
pub struct Kept {
    pub settings: &'static str,
    pub address: String,
}

impl Kept {
    /// A file, and a schema of its own on the server that `LEGWORK_TEST_POSTGRES` names.
    pub async fn everywhere() -> Vec<Self> {
        let mut all = vec![Self { settings: "", address: String::new() }];
        #[cfg(feature = "postgres")]
        if let Some(url) = std::env::var_os("LEGWORK_TEST_POSTGRES") {
            let address = schema(url.to_str().unwrap()).await;
            all.push(Self { settings: "stores: { main: '${file:store.txt}' }", address });
        }
        all
    }
}

/// Makes a schema; the address that leads to it.
#[cfg(feature = "postgres")]
async fn schema(url: &str) -> String {
    use sqlx::{Connection as _, PgConnection};
    let name = format!("kept_{}", uuid::Uuid::new_v4().simple());
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("create schema {name}"))).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let sign = if url.contains('?') { '&' } else { '?' };
    format!("{url}{sign}options[search_path]={name}")
}
