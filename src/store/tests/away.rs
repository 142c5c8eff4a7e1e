//! A server that is away, or goes.

#[cfg(feature = "postgres")]
mod postgres {
    use super::super::*;

    /// An address at which nobody listens.
    fn nowhere() -> Secret {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        Secret::new(format!("postgres://u:hunter2@{}/d", listener.local_addr().unwrap()))
    }

    #[tokio::test]
    async fn a_server_that_is_away_is_said_soon_and_without_its_address() {
        let store = Store::open(&Place::Postgres(&nowhere()), None).await.unwrap();
        for _ in 0..3 {
            let Err(StoreError::Unavailable(text)) = store.reached().await else { panic!("it is there") };
            assert!(text.starts_with("the store cannot be reached") && !text.contains("hunter2"), "{text}");
        }
        assert!(matches!(store.begin(&write("k"), &lease("a", 1)).await, Err(StoreError::Unavailable(_))));
    }

    #[tokio::test]
    async fn what_an_operator_has_to_change_is_said_at_the_start() {
        let open = async |url: &str| Store::open(&Place::Postgres(&Secret::new(url.to_owned())), None).await.err().unwrap();
        assert!(open("mysql://u:hunter2@h/d").await.contains("write postgres://user:password@host:5432/database"));
        let Some(server) = server() else { return };
        let wrong = server.expose().replace("/legwork_test", "/no_such_database");
        let said = open(&wrong).await;
        assert!(said.contains("database \"no_such_database\" does not exist"), "{said}");
    }

    #[tokio::test]
    async fn connections_that_the_server_ends_are_replaced() {
        let Some(schema) = Schema::make().await else { return };
        let store = schema.opened(None).await;
        for round in 0..3 {
            let end = "select count(pg_terminate_backend(pid)) from pg_stat_activity \
                       where application_name = 'legwork' and query = $1";
            // Its own connection only, by what that was asked last: other tests have theirs on the same server.
            let mark = format!("{}_{round}", schema.name);
            store.db.rows("select $1 as mine", &[db::Arg::Text(&mark)]).await.unwrap();
            sqlx::query(end).bind("select $1 as mine").execute(&schema.admin).await.unwrap();
            store.turn_ended(&mark, 1, b"it", 0, 100).await.unwrap();
            assert!(store.turn(&mark, 1).await.unwrap().is_some());
        }
        schema.drop().await;
    }
}
