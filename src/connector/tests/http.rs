//! Systems of kind http, against vendors on this machine.

use pretty_assertions::assert_eq;

use super::*;

#[tokio::test]
async fn the_zendesk_file_is_sound() {
    let connector = sound(catalog::built_in("zendesk").unwrap());
    assert_eq!(run_examples(&connector, Path::new("."), clock()).await, Vec::<String>::new());
}
