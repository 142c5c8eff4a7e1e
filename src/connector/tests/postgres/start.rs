//! Opening: addresses, tables that are brought, and what is said about what is wrong.

use pretty_assertions::assert_eq;

use super::*;

const TABLES: &str = "
tables:
  - create: |
      create table shops (id int primary key, name text);
      insert into shops values (1, 'Main');
  - csv: orders.csv
  - { json: lines.json, name: order_goods }
operations:
  order: { inputs: { no: {} }, sql: select * from orders where no = :no, take: one }
  goods: { inputs: { no: {} }, sql: select * from order_goods where no = :no, take: one }
  shops: { sql: select count(*) from shops, take: value }
";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("orders.csv"),
        "no,status,total,pieces\n0042,shipped,19.90,2\n0043,it's; pending,5,\n",
    )
    .unwrap();
    let lines = r#"[{"no": "0042", "goods": [{"name": "Mug", "quantity": 2}], "gift": true, "mixed": 1}, {"no": "0043", "mixed": "x"}]"#;
    std::fs::write(folder.path().join("lines.json"), lines).unwrap();
    folder
}

#[tokio::test]
async fn replicas_that_start_at_once_make_tables_once() {
    let Some(base) = Base::new("").await else { return };
    let folder = folder();
    let connector = own_connector("own", &format!("kind: sql\ndatabase: '{}'\n{TABLES}", base.url()), folder.path());
    let connections = [connection("own", &connector, &[])];
    let starts = (0..6).map(|_| open(&connections, folder.path()));
    let opened: Vec<_> = futures_util::future::join_all(starts).await.into_iter().map(Result::unwrap).collect();
    for own in &opened {
        assert_eq!(own.verify().await, []);
        assert_eq!(ask(own, "own.shops", json!({})).await.unwrap(), 1);
    }
    let own = &opened[0];
    let order = ask(own, "own.order", json!({"no": "0042"})).await.unwrap();
    assert_eq!(order, json!({"no": "0042", "status": "shipped", "total": 19.9, "pieces": 2}));
    assert_eq!(ask(own, "own.order", json!({"no": "0043"})).await.unwrap()["pieces"], Value::Null);
    let goods = ask(own, "own.goods", json!({"no": "0042"})).await.unwrap();
    assert_eq!(goods, json!({"no": "0042", "goods": [{"name": "Mug", "quantity": 2}], "gift": true, "mixed": 1}));
    assert_eq!(ask(own, "own.goods", json!({"no": "0043"})).await.unwrap()["mixed"], "x");
    assert_eq!(base.number("select count(*) from legwork_made").await, 3);
}

#[tokio::test]
async fn a_user_who_may_not_create_works_with_what_is_there() {
    let Some(base) = Base::new("").await else { return };
    let folder = folder();
    let yaml = |url: &str| format!("kind: sql\ndatabase: '{url}'\n{TABLES}");
    let open_as = async |url: &str| {
        open(&[connection("own", &own_connector("own", &yaml(url), folder.path()), &[])], folder.path()).await
    };
    let role = format!("{}_reader", base.name);
    base.does(&format!("create role {role} login; revoke create on schema public from public")).await;
    let url = base.url().replace(&format!("//{}:", base.server.get_username()), &format!("//{role}:"));
    let refused = open_as(&url).await.err().unwrap();
    assert!(refused[0].text.starts_with("`tables`: `legwork_made` cannot be made: permission denied"), "{refused:?}");
    open_as(&base.url()).await.unwrap();
    base.does(&format!("grant select on all tables in schema public to {role}")).await;
    let own = open_as(&url).await.unwrap();
    assert_eq!(ask(&own, "own.shops", json!({})).await.unwrap(), 1);
    drop(own);
    base.does(&format!("drop owned by {role}; drop role {role}")).await;
}

#[tokio::test]
async fn what_is_half_made_is_not_there_and_what_is_wrong_is_said() {
    let Some(base) = Base::new("").await else { return };
    let tables = "tables: [{ create: create table good (a int) }, { create: create tabel bad (a int) }]\n\
                  operations: { a: { sql: select 1 } }";
    let problems = open(&[connection("own", &base.connector(tables), &[])], Path::new(".")).await.err().unwrap();
    assert_eq!(
        problems[0].to_string(),
        "own: `tables`: `create tabel bad (a int)` cannot be made: syntax error at or near \"tabel\""
    );
    assert_eq!(base.number("select count(*) from pg_tables where schemaname = 'public'").await, 0);
    let wrong = base
        .open(
            "operations: { a: { inputs: { x: {} }, sql: 'select 1 from nowhere where a = :x' }, b: { sql: 'selec' } }"
                .replace("b: { sql: 'selec' }", "b: { sql: select 1 }")
                .as_str(),
        )
        .await;
    let said: Vec<_> = wrong.verify().await.iter().map(|it| (it.to_string(), it.passing)).collect();
    assert_eq!(said, [("own.a: the statement `rows`: relation \"nowhere\" does not exist".to_owned(), false)]);
    let fault = ask(&wrong, "own.a", json!({"x": 1})).await.unwrap_err();
    assert_eq!(fault.outcome, Outcome::Misconfigured);
}

#[tokio::test]
async fn wrong_addresses_are_told_apart_and_never_shown() {
    let Some(base) = Base::new("").await else { return };
    let own = async |url: String| {
        let yaml = format!(
            "kind: sql\nsettings: {{ url: {{ secret: true }} }}\ndatabase: '{{{{ settings.url }}}}'\n{}",
            "operations: { a: { sql: select 1, take: value } }"
        );
        let mut connection = connection("own", &own_connector("own", &yaml, Path::new(".")), &[]);
        connection.settings.insert("url".to_owned(), SettingValue::Secret(crate::secret::Secret::new(url)));
        open(&[connection], Path::new(".")).await
    };
    let (good, user) = (base.url(), base.server.get_username().to_owned());
    assert_eq!(ask(&own(good.clone()).await.unwrap(), "own.a", json!({})).await.unwrap(), 1);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let cases = [
        (good.replace(&format!("//{user}:"), "//nobody_like_that:"), Outcome::Misconfigured, "user, password or address"),
        (good.replace(&base.name, "sekret_base"), Outcome::Misconfigured, "there is no such database"),
        (format!("postgres://u:hunter2@127.0.0.1:{port}/d"), Outcome::Unavailable, "nobody listens there"),
        (format!("{good}?sslmode=require"), Outcome::Misconfigured, "no TLS with this server"),
        (good.replace("127.0.0.1", "127.0.0.1.invalid"), Outcome::Unavailable, "connecting to the database"),
    ];
    for (url, ends, says) in cases {
        let own = own(url).await.unwrap();
        let fault = ask(&own, "own.a", json!({})).await.unwrap_err();
        let problem = own.verify().await.remove(0);
        assert_eq!((fault.outcome, problem.passing), (ends, ends == Outcome::Unavailable), "{fault}");
        for text in [fault.to_string(), problem.to_string()] {
            assert!(text.contains(says), "{text}");
            assert!(!text.contains("hunter2") && !text.contains("sekret") && !text.contains("127.0.0.1"), "{text}");
        }
    }
    for url in ["mysql://u:hunter2@h/d", "postgres://u:hunter2@h/d?paswort=hunter2"] {
        let problems = own(url.to_owned()).await.err().unwrap();
        assert!(!problems[0].text.contains("hunter2"), "{problems:?}");
    }
}

#[tokio::test]
async fn a_server_proves_who_it_is_as_the_address_asks() {
    if server().is_none() {
        return;
    }
    let server = Server::start();
    let mut admin = server.url.parse::<PgConnectOptions>().unwrap().connect().await.unwrap();
    for file in ["server.pem", "server.key"] {
        let text = std::fs::read_to_string(format!("tests/it/tls/{file}")).unwrap();
        let copy = format!(
            "copy (select regexp_split_to_table('{}', '\n')) to program 'umask 077; cat > {file}'; alter system set {} = '{file}'",
            text.trim(),
            if file == "server.pem" { "ssl_cert_file" } else { "ssl_key_file" }
        );
        let (copy, set) = copy.split_once("; alter").unwrap();
        sqlx::raw_sql(AssertSqlSafe(copy.to_owned())).execute(&mut admin).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("alter{set}"))).execute(&mut admin).await.unwrap();
    }
    sqlx::raw_sql("alter system set ssl = on").execute(&mut admin).await.unwrap();
    drop(admin);
    server.does("restart");
    let encrypted = async |mode: &str| {
        let yaml = format!(
            "kind: sql\ndatabase: '{}{mode}'\noperations: {{ a: {{ sql: 'select ssl from pg_stat_ssl where pid = pg_backend_pid()', \
             take: value }} }}",
            server.url
        );
        let own =
            open(&[connection("own", &own_connector("own", &yaml, Path::new(".")), &[])], Path::new(".")).await.unwrap();
        ask(&own, "own.a", json!({})).await
    };
    for (mode, is) in [
        ("", true),
        ("?sslmode=disable", false),
        ("?sslmode=require", true),
        ("?sslmode=verify-full&sslrootcert=tests/it/tls/authority.pem", true),
    ] {
        assert_eq!(encrypted(mode).await.unwrap(), is, "{mode}");
    }
    let fault = encrypted("?sslmode=verify-full").await.unwrap_err();
    assert_eq!(fault.outcome, Outcome::Misconfigured, "{fault}");
    assert!(fault.operator.contains("sslrootcert=FILE"), "{fault}");
}
