//! `undo` where a test of the till does not show it: a write that outlasts its turn, and what `try` and `check` say.

use pretty_assertions::assert_eq;

use super::support::{Bot, HELD, Held, legwork, problems, project};

#[tokio::test]
async fn a_write_that_outlasts_the_turn_is_told_beside_what_is_done() {
    let held = Held::open().await;
    let action = "
steps:
  - call: shop.cancel_order
    with: { number: \"1002\" }
    as: order
    title: the cancellation
    undo: { call: desk.make }
  - { call: desk.make, title: the mail }
  - { call: desk.make, title: the letter }
";
    let more = "  shop: { connector: sandbox }\nturn: { slow_after: 300ms, give_up_after: 300ms }";
    let bot = Bot::with(&[("legwork.yml", &held.settings(more)), HELD, ("actions/action_x.yml", action)]).await;
    let said = bot.call("action_x").send().await;
    let [said] = said.said()[..] else { panic!("{:?}", said.said()) };
    assert!(said.starts_with("I've sent that off"), "{said}");
    let told = " This is done: the cancellation. This will be done: the mail. This is not done: the letter.";
    assert!(said.ends_with(told), "{said}");
    held.release();
    held.ended().await;
    assert_eq!(held.count(), 1);
}

#[test]
fn one_run_shows_what_it_takes_back() {
    let action = "
steps:
  - call: helpdesk.create_ticket
    with: { subject: a, email: sarah@example.com }
    as: ticket
    undo: { call: helpdesk.update_ticket, with: { number: \"{{ ticket.number }}\", status: closed } }
  - { call: shop.start_return, with: { order_number: \"1002\" } }
";
    let ran = legwork(project(&[("actions/action_x.yml", action)]).path(), &["try", "action_x"]);
    let told = ran.printed.split("actions/action_x.yml:6 ").nth(1).unwrap_or_else(|| panic!("{}", ran.printed));
    assert!(told.trim_start().starts_with("undo") && told.contains("\n    helpdesk.update_ticket "), "{told}");
    assert!(told.contains("\"status\": \"closed\""), "{told}");
    assert!(told.contains("What was done before that was taken back."), "{told}");
}

#[test]
fn what_takes_back_is_checked() {
    let connected = ("legwork.yml", "connections: { shop: { connector: sandbox }, helpdesk: { connector: sandbox } }\n");
    let cancel = "undo: { call: shop.cancel_order, with: { number: \"{{ made.number }}\" } }";
    let ticket = "call: helpdesk.create_ticket, as: made, with: { subject: a, description: b, email: a@example.com }";
    for (step, found) in [
        (format!("{ticket}, title: \"{{{{ slots.a }}}}\", {cancel}"), None),
        (format!("call: shop.find_order, with: {{ number: \"1\" }}, as: made, {cancel}"), Some("misplaced-key")),
        ("call: shop.find_order, with: { number: \"1\" }, title: A".to_owned(), Some("misplaced-key")),
        (format!("{ticket}, undo: {{ call: shop.find_order, with: {{ number: \"1\" }} }}"), Some("bad-value")),
        (format!("{ticket}, undo: {{ call: shop.cancel_ordr, with: {{ number: \"1\" }} }}"), Some("unknown-operation")),
        (format!("{ticket}, undo: {{ call: shop.cancel_order }}"), Some("missing-input")),
        (
            format!("{ticket}, undo: {{ call: shop.cancel_order, with: {{ number: \"{{{{ it }}}}\" }} }}"),
            Some("unknown-name"),
        ),
        (format!("{ticket}, undo: {{ with: {{ number: 1 }} }}"), Some("missing-key")),
        (format!("{ticket}, title: \"{{{{ made.number }}}}\""), Some("unknown-name")),
        (format!("say: Hello, {cancel}"), Some("misplaced-key")),
        // What is wrong with the connection is said once.
        (
            format!("call: shp.a, title: A, queue: true, {}", cancel.replace("{{ made.number }}", "1")),
            Some("unknown-connection"),
        ),
    ] {
        let action = format!("steps: [{{ {step} }}]\n");
        let problems = problems(&[connected, ("actions/action_x.yml", &action)]);
        let codes: Vec<_> = problems.iter().map(|line| line.split(' ').next().unwrap()).collect();
        assert!(
            codes.iter().all(|code| Some(*code) == found) && codes.is_empty() == found.is_none(),
            "{step}: {problems:?}"
        );
    }
    let form = "slots: { a: { steps: [{ call: helpdesk.create_ticket, with: { subject: a, description: b, email: a@example.com }, undo: { call: shop.cancel_order, with: { number: \"1\" } } }, { accept: value }] } }\n";
    let problems = problems(&[connected, ("actions/validate_x_form.yml", form)]);
    assert!(
        problems.iter().any(|line| line.starts_with("misplaced-key") && line.contains("not taken back")),
        "{problems:?}"
    );
}
