//! The sandbox does what its file says, for everybody who connects to it.

use pretty_assertions::assert_eq;

use super::*;

async fn sandbox() -> Connections {
    let connector = sandbox_connector();
    let names = ["shop", "helpdesk", "crm", "hr"];
    let connections: Vec<_> = names.iter().map(|name| connection(name, &connector, &[])).collect();
    open(&connections, Path::new(".")).await.unwrap()
}

#[tokio::test]
async fn every_operation_has_examples_and_every_example_holds() {
    let connector = sandbox_connector();
    for operation in connector.operations.values() {
        assert!(!operation.examples.is_empty(), "{} has no example", operation.name);
        assert!(operation.inputs.iter().all(|input| !input.doc.is_empty()), "{}", operation.name);
    }
    assert_eq!(run_examples(&connector, Path::new("."), clock()).await, Vec::<String>::new());
}

#[tokio::test]
async fn every_statement_fits_the_tables() {
    assert_eq!(sandbox().await.verify().await, []);
}

#[tokio::test]
async fn connections_of_one_sandbox_see_the_same_data_and_others_their_own() {
    let (first, second) = (sandbox().await, sandbox().await);
    let ticket = ask(&first, "shop.create_ticket", json!({"subject": "Hello"})).await.unwrap();
    assert_eq!(ticket["number"], "T-1042");
    assert_eq!(ask(&first, "helpdesk.find_ticket", json!({"number": "T-1042"})).await.unwrap()["subject"], "Hello");
    assert_eq!(outcome(&second, "helpdesk.find_ticket", json!({"number": "T-1042"})).await, Outcome::NotFound);
}

#[tokio::test]
async fn what_is_written_to_a_file_is_there_after_a_restart_and_samples_come_once() {
    let folder = tempfile::tempdir().unwrap();
    let connector = sandbox_connector();
    let shop = connection("shop", &connector, &[("file", "shop.db")]);
    for expected in ["T-1042", "T-1043"] {
        let connections = open(std::slice::from_ref(&shop), folder.path()).await.unwrap();
        assert_eq!(connections.facts()[0].system, "file");
        let ticket = ask(&connections, "shop.create_ticket", json!({"subject": "Hello"})).await.unwrap();
        assert_eq!(ticket["number"], expected);
        assert_eq!(
            ask(&connections, "shop.recent_orders", json!({"email": "sarah@example.com"})).await.unwrap()[0]["number"],
            "1002"
        );
    }
}

#[tokio::test]
async fn profiles_are_kept_refreshed_and_outdated_by_writes() {
    let crm = sandbox().await;
    let sarah = json!({"email": "sarah@example.com"});
    let first = answered(&crm, "crm.find_customer", sarah.clone(), how()).await.unwrap();
    assert_eq!(first.age, None);
    let kept = answered(&crm, "crm.find_customer", sarah.clone(), how()).await.unwrap();
    assert!(kept.age.is_some() && kept.value == first.value);
    let (crm_name, find) = (ConnectionName::parse("crm").unwrap(), OperationName::parse("find_customer").unwrap());
    let last = crm.last_known(&crm_name, &find, sarah.as_object().unwrap().clone(), None).await;
    assert_eq!(last.unwrap().value, first.value);
    let fresh = answered(&crm, "crm.find_customer", sarah.clone(), How { refresh: true, ..how() }).await.unwrap();
    assert_eq!(fresh.age, None);
    ask(&crm, "crm.update_contact", json!({"email": "sarah@example.com", "phone": "+14155550199"})).await.unwrap();
    let after = answered(&crm, "crm.find_customer", sarah, how()).await.unwrap();
    assert_eq!((after.age, &after.value["phone"]), (None, &json!("+14155550199")));
}

#[tokio::test]
async fn a_connection_that_is_given_down_is_down_and_the_others_are_not() {
    let systems = sandbox().await;
    ask(&systems, "shop.find_order", json!({"number": "1001"})).await.unwrap();
    systems.stage(&"shop=down".parse().unwrap());
    systems.forget(&ConnectionName::parse("shop").unwrap());
    assert_eq!(outcome(&systems, "shop.find_order", json!({"number": "1001"})).await, Outcome::Unavailable);
    assert!(ask(&systems, "hr.find_order", json!({"number": "1001"})).await.is_ok());
    assert_eq!(systems.facts()[0].staged, ["down"]);
    let (shop, find) = (ConnectionName::parse("shop").unwrap(), OperationName::parse("find_order").unwrap());
    let order = json!({"number": "1001"}).as_object().unwrap().clone();
    assert_eq!(systems.last_known(&shop, &find, order.clone(), None).await, None, "nothing hides what is given");
}

#[tokio::test]
async fn what_is_known_of_a_connection_that_is_down_stands_in() {
    let systems = sandbox().await;
    ask(&systems, "shop.find_order", json!({"number": "1001"})).await.unwrap();
    systems.stage(&"shop.find_order=down".parse().unwrap());
    let (shop, find) = (ConnectionName::parse("shop").unwrap(), OperationName::parse("find_order").unwrap());
    let order = json!({"number": "1001"}).as_object().unwrap().clone();
    assert!(ask(&systems, "shop.recent_orders", json!({"email": "sarah@example.com"})).await.is_ok());
    assert_eq!(systems.facts()[0].staged, ["find_order: down"]);
    systems.grow_older(Duration::from_secs(240));
    assert_eq!(outcome(&systems, "shop.find_order", json!({"number": "1001"})).await, Outcome::Unavailable);
    let known = systems.last_known(&shop, &find, order.clone(), None).await.unwrap();
    assert_eq!((known.value["number"].clone(), known.age.map(|age| age.as_secs())), (json!("1001"), Some(240)));
    systems.grow_older(Duration::from_secs(3600));
    assert_eq!(systems.last_known(&shop, &find, order, None).await, None, "past its stale time");
}

#[tokio::test]
async fn what_is_known_of_a_connection_is_for_its_share_of_the_senders() {
    let mut shop = connection("shop", &sandbox_connector(), &[]);
    shop.rules.share = crate::plan::connector::Percent::new(0).ok();
    let systems = open(&[shop], Path::new(".")).await.unwrap();
    ask(&systems, "shop.find_order", json!({"number": "1001"})).await.unwrap();
    let (shop, find) = (ConnectionName::parse("shop").unwrap(), OperationName::parse("find_order").unwrap());
    let order = json!({"number": "1001"}).as_object().unwrap().clone();
    assert_eq!(systems.last_known(&shop, &find, order.clone(), Some("somebody")).await, None);
    assert!(systems.last_known(&shop, &find, order, None).await.is_some());
}

#[tokio::test]
async fn what_an_operation_does_not_accept_never_reaches_it() {
    let shop = sandbox().await;
    let fault = ask(&shop, "shop.find_order", json!({"number": null})).await.unwrap_err();
    assert_eq!((fault.outcome, fault.operator.as_str()), (Outcome::Invalid, "find_order needs the input number"));
    let fault = ask(&shop, "shop.create_ticket", json!({"subject": "x", "priority": "sekret"})).await.unwrap_err();
    assert_eq!(fault.outcome, Outcome::Invalid);
    assert!(!fault.operator.contains("sekret"));
    assert_eq!(outcome(&shop, "shop.find_order", json!({"number": "1001", "nmae": 1})).await, Outcome::Unexpected);
    assert_eq!(outcome(&shop, "shop.find_odrer", json!({})).await, Outcome::Unexpected);
    assert_eq!(outcome(&shop, "store.find_order", json!({})).await, Outcome::Unexpected);
}

#[tokio::test]
async fn hostile_values_are_values() {
    let shop = sandbox().await;
    let hostile = [
        "' or 1=1 --",
        "'; drop table orders; --",
        "\" or \"\"=\"",
        "1001' union select * from customers --",
        "{{ 7*7 }}",
        "%",
        "_",
        "*",
        "\0",
        "\u{202e}1001",
        "NEAR(a b)",
        "a AND b",
        "col:x",
        "(",
        "\"",
        "^",
        "\n",
        "\\",
        "]]",
        ":number",
        "?1",
    ];
    let long = "x".repeat(100_000);
    for value in hostile.into_iter().chain([long.as_str()]) {
        assert_eq!(outcome(&shop, "shop.find_order", json!({"number": value})).await, Outcome::NotFound, "{value:.40}");
        assert_eq!(outcome(&shop, "crm.find_customer", json!({"email": value})).await, Outcome::Invalid, "{value:.40}");
        assert_eq!(outcome(&shop, "shop.check_stock", json!({"product": format!("{value}§")})).await, Outcome::NotFound);
        for search in ["shop.search_products", "shop.search_articles"] {
            assert!(ask(&shop, search, json!({"query": value})).await.unwrap().is_array(), "{value:.40}");
        }
        let subject = ask(&shop, "shop.create_ticket", json!({"subject": value})).await.unwrap();
        assert_eq!(subject["subject"], value);
    }
    assert_eq!(ask(&shop, "shop.find_order", json!({"number": "1001"})).await.unwrap()["status"], "shipped");
}

#[tokio::test]
async fn writes_at_the_same_time_each_get_a_number() {
    let shop = sandbox().await;
    let folder = tempfile::tempdir().unwrap();
    let in_file = connection("helpdesk", &sandbox_connector(), &[("file", "shop.db")]);
    let in_file = open(&[in_file], folder.path()).await.unwrap();
    for systems in [shop, in_file] {
        let writes = (0..20).map(|_| ask(&systems, "helpdesk.create_ticket", json!({"subject": "Hello"})));
        let tickets = futures_util::future::join_all(writes).await;
        let numbers: std::collections::BTreeSet<_> =
            tickets.into_iter().map(|ticket| ticket.unwrap()["number"].as_str().unwrap().to_owned()).collect();
        assert_eq!(numbers.len(), 20);
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_nothing_half_done_and_the_database_whole() {
    let shop = sandbox().await;
    {
        let mut call = Box::pin(ask(&shop, "shop.cancel_order", json!({"number": "1002"})));
        assert!(futures_util::poll!(&mut call).is_pending());
    }
    for _ in 0..10 {
        let mut call = Box::pin(ask(&shop, "shop.check_stock", json!({"product": "jeans"})));
        let _ = futures_util::poll!(&mut call);
    }
    assert_eq!(ask(&shop, "shop.find_order", json!({"number": "1002"})).await.unwrap()["status"], "pending");
    ask(&shop, "shop.cancel_order", json!({"number": "1002"})).await.unwrap();
    assert_eq!(ask(&shop, "shop.find_order", json!({"number": "1002"})).await.unwrap()["status"], "cancelled");
}

#[tokio::test]
async fn sample_customers_can_be_found_by_what_they_would_say() {
    let crm = sandbox().await;
    for (email, phone) in [
        ("sarah@example.com", "(415) 555-0123"),
        ("tom@example.com", "+49 30 23125042"),
        ("priya@example.com", "+44 20 7946 0123"),
        ("marcus@example.com", "212-555-0147"),
        ("elena@example.com", "+1 305 555 0188"),
        ("noah@example.com", "+61 2 5550 1234"),
    ] {
        let customer = ask(&crm, "crm.find_customer", json!({"phone": phone})).await.unwrap();
        assert_eq!(customer["email"], email);
    }
}
