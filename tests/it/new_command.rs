//! `legwork new`: what it writes passes `check` and its own tests, and what is there already stays as it is.

use std::fs;
use std::path::Path;

use legwork::diag::File;
use legwork::spec::yaml;
use pretty_assertions::assert_eq;

use crate::support::{legwork, project};

const DOMAIN: &str = "\
slots:
  order_id: { type: text, mappings: [{ type: from_entity, entity: order_id }] }
  email: { type: text, mappings: [{ type: from_text, conditions: [{ active_loop: parcel_form }] }] }
  parcel: { type: text, mappings: [{ type: from_text, conditions: [{ active_loop: parcel_form }] }] }
  fragile: { type: bool, mappings: [{ type: from_text, conditions: [{ active_loop: parcel_form }] }] }
  size: { type: categorical, values: [small, large], mappings: [{ type: from_text, conditions: [{ active_loop: parcel_form }] }] }
  weight: { type: float, mappings: [{ type: from_text, conditions: [{ active_loop: parcel_form }] }] }
  wish: { type: text, mappings: [{ type: from_text, conditions: [{ active_loop: parcel_form }] }] }
forms:
  parcel_form: { required_slots: [email, parcel, fragile, size, weight, wish] }
responses:
  utter_ask_order_id: [{ text: Which order is it? }]
  utter_invalid_email: [{ text: That is no address. }]
actions: [action_track, validate_parcel_form]
";

const SETTINGS: &str = "\
connections:
  shop: { connector: sandbox }
  pets: { connector: pets, key: \"${PETS_KEY}\" }
formats:
  parcel: { pattern: 'P(\\d+)', examples: { P17: \"17\", seventeen: null } }
tests: { now: \"2026-01-23T12:00:00Z\" }
";

const PETS: &str = r##"
openapi: 3.0.3
info: { title: Pet shop, version: "1.2" }
servers: [{ url: https://pets.example/api/v1 }]
components:
  securitySchemes: { key: { type: apiKey, in: header, name: X-Api-Key } }
  schemas:
    Pet:
      type: object
      required: [id, name]
      properties:
        id: { type: integer, readOnly: true, example: 7 }
        name: { type: string, example: Rex }
        kind: { type: string, enum: [dog, cat] }
        parent: { $ref: "#/components/schemas/Pet" }
paths:
  /pets/{petId}:
    parameters: [{ name: petId, in: path, required: true, schema: { type: integer } }]
    get:
      operationId: getPetById
      summary: One pet.
      responses: { "200": { content: { application/json: { schema: { $ref: "#/components/schemas/Pet" } } } } }
    delete: { responses: { "204": {} } }
  /pets:
    get:
      operationId: listPets
      parameters: [{ name: kind, in: query, required: true, schema: { type: string, enum: [dog, cat] } }]
      responses: { "200": { content: { application/json: { schema: { type: array, items: { $ref: "#/components/schemas/Pet" } } } } } }
    post:
      operationId: addPet
      requestBody: { content: { application/json: { schema: { $ref: "#/components/schemas/Pet" } } } }
      responses: { "201": { content: { application/json: { schema: { $ref: "#/components/schemas/Pet" } } } } }
"##;

fn shop() -> tempfile::TempDir {
    project(&[("domain.yml", DOMAIN), ("actions/shared/none.yml", "values: {}\n")])
}

/// Checks a project and runs its tests; `check` may warn of `warned` and nothing else.
fn sound(folder: &Path, warned: &[&str]) {
    let checked = legwork(folder, &["check", "--format", "json"]);
    let lines = checked.printed.lines().map(|line| serde_json::from_str(line).unwrap_or_default());
    let codes = lines.map(|line: serde_json::Value| line["code"].as_str().unwrap_or_default().to_owned());
    let codes: Vec<String> = codes.filter(|code| !warned.contains(&code.as_str())).collect();
    assert_eq!((codes, checked.code), (Vec::<String>::new(), Some(0)), "{}", checked.printed);
    let tested = legwork(folder, &["test"]);
    assert_eq!(tested.code, Some(0), "{}{}", tested.printed, tested.complained);
}

#[test]
fn an_action_of_an_operation_is_right_and_tested() {
    let folder = shop();
    let ran =
        legwork(folder.path(), &["new", "action", "action_track", "--call", "shop.find_order", "--with", "number=order_id"]);
    assert_eq!(ran.code, Some(0), "{}", ran.complained);
    assert!(ran.printed.starts_with("wrote actions/action_track.yml (3 tests pass)\n"), "{}", ran.printed);
    let text = fs::read_to_string(folder.path().join("actions/action_track.yml")).unwrap();
    for part in [
        "order_id: { missing: utter_ask_order_id }",
        "email: { format: email, invalid: utter_invalid_email }",
        "with: { number: \"{{ order_id }}\", email: \"{{ email }}\" }",
        "not_found: ",
        "expect: { said: [\"Order 1001…\"] }",
        "given: { shop: down }",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    sound(folder.path(), &["unimplemented-action", "unvalidated-slot"]);
}

#[test]
fn operations_of_every_kind_make_an_action() {
    let folder = shop();
    let schema = legwork(folder.path(), &["schema", "action", "--project"]);
    let schema: serde_json::Value = serde_json::from_str(&schema.printed).unwrap();
    let calls = schema["definitions"]["Step"]["properties"]["call"]["anyOf"].as_array().unwrap();
    let calls = calls.iter().map(|call| call["const"].as_str().unwrap()).filter(|call| call.starts_with("shop.")).step_by(3);
    let mut made = 0;
    for call in calls {
        let name = format!("action_{}", call.replace(['.', '@'], "_"));
        let ran = legwork(folder.path(), &["new", "action", &name, "--call", call]);
        assert_eq!(ran.code, Some(0), "{call}: {}", ran.complained);
        assert!(ran.printed.contains("pass"), "{call}: {}", ran.printed);
        made += 1;
    }
    assert!(made > 8, "{made}");
    sound(folder.path(), &["unimplemented-action", "unvalidated-slot", "undeclared-action", "deprecated-operation"]);
}

#[test]
fn the_validation_of_a_form_has_a_rule_for_each_slot() {
    let folder = shop();
    fs::write(
        folder.path().join("legwork.yml"),
        SETTINGS.replace("  pets: { connector: pets, key: \"${PETS_KEY}\" }\n", ""),
    )
    .unwrap();
    let ran = legwork(folder.path(), &["new", "form", "parcel_form"]);
    assert_eq!(ran.code, Some(0), "{}", ran.complained);
    let text = fs::read_to_string(folder.path().join("actions/validate_parcel_form.yml")).unwrap();
    for part in [
        "email: { format: email, refuse: utter_invalid_email }",
        "parcel: { format: parcel, refuse: ",
        "fragile: { format: yes_no, ",
        "size: { format: { enum: [small, large] }, ",
        "weight: { format: number, ",
        "wish: { accept: value | length > 1, ",
        "offered: { parcel: seventeen }",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(ran.printed.contains("(7 tests pass)"), "{}", ran.printed);
    sound(folder.path(), &["unimplemented-action"]);
}

#[test]
fn a_connector_of_a_description_has_requests_mappings_and_examples_that_hold() {
    let folder = shop();
    fs::write(folder.path().join("pets.yml"), PETS).unwrap();
    let pick = ["getPetById", "listPets", "addPet", "DELETE /pets/{petId}"];
    let mut line = vec!["new", "connector", "pets", "--openapi", "pets.yml"];
    line.extend(pick.iter().flat_map(|id| ["--operation", id]));
    let ran = legwork(folder.path(), &line);
    assert_eq!(ran.code, Some(0), "{}", ran.complained);
    assert!(ran.printed.starts_with("wrote connectors/pets.yml (4 operations, 6 examples hold)\n"), "{}", ran.printed);
    assert!(ran.printed.contains("pets: { connector: pets, key: \"${PETS_KEY}\", mode: read_only }"), "{}", ran.printed);
    let text = fs::read_to_string(folder.path().join("connectors/pets.yml")).unwrap();
    for part in [
        "request: GET /pets/{{ pet_id }}",
        "auth: { header: { name: X-Api-Key, value: \"{{ settings.key }}\" } }",
        "  delete_pets_pet_id:\n    # DECIDE: `payment`",
        "\"kind?\": \"{{ kind }}\"",
        "parent: \"{{ body.parent | default(none) }}\"",
        "$each: body",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let json = yaml::parse(&File::new("pets.yml", PETS)).unwrap().to_json().to_string();
    fs::write(folder.path().join("pets.json"), json).unwrap();
    let ran = legwork(folder.path(), &["new", "connector", "zoo", "--openapi", "pets.json", "--operation", "listPets"]);
    assert!(
        ran.printed.starts_with("wrote connectors/zoo.yml (1 operations, 1 examples hold)\n"),
        "{}{}",
        ran.printed,
        ran.complained
    );
    // What is written can be called at once.
    fs::write(folder.path().join("legwork.yml"), SETTINGS).unwrap();
    let ran = legwork(folder.path(), &["new", "action", "action_track", "--call", "pets.get_pet_by_id"]);
    assert!(ran.printed.contains("(3 tests pass)"), "{}{}", ran.printed, ran.complained);
    sound(folder.path(), &["unimplemented-action", "unvalidated-slot"]);
}

#[test]
fn what_is_there_already_stays_and_what_is_wrong_is_said() {
    let folder = shop();
    let track = ["new", "action", "action_track", "--call", "shop.find_order"];
    assert_eq!(legwork(folder.path(), &track).code, Some(0));
    let path = folder.path().join("actions/action_track.yml");
    fs::write(&path, "steps: []\n").unwrap();
    let refused = |line: &[&str]| {
        let ran = legwork(folder.path(), line);
        assert_ne!(ran.code, Some(0), "{}", ran.printed);
        ran.complained
    };
    assert!(refused(&track).contains("is there already, and nothing was written"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "steps: []\n");
    for (line, says) in [
        (vec!["new", "action", "action_b", "--call", "shop.find_ordr"], "did you mean `shop.find_order`?"),
        (
            vec!["new", "action", "action_b", "--call", "shop.find_order", "--with", "nubmer=order_id"],
            "did you mean `number`?",
        ),
        (vec!["new", "action", "action_b", "--call", "shop.find_order", "--with", "number=order_di"], "error[unknown-slot]"),
        (vec!["new", "action", "action_b"], "Say it with --call"),
        (vec!["new", "form", "parcels_form"], "did you mean `parcel_form`?"),
        (vec!["new", "connector", "x", "--openapi", "domain.yml"], "no OpenAPI description"),
        (vec!["new"], "Say it with `legwork new action`"),
    ] {
        let said = refused(&line);
        assert!(said.contains(says), "{line:?}: {said}");
    }
    assert!(!folder.path().join("actions/action_b.yml").exists());
}
