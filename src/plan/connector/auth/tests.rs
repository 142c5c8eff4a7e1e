//! What is wrong with `auth:` is said with its code and a cure.

use super::*;
use crate::diag::{Code, Diagnostic, Diagnostics, File};
use crate::plan::connector::Setting;
use crate::spec::{Shape as _, auth as spec, yaml};

fn compiled(text: &str) -> (Option<Auth>, Vec<Diagnostic>) {
    let setting = |(name, secret): (&str, bool)| Setting {
        name: name.to_owned(),
        description: String::new(),
        is_map: false,
        example: None,
        required: true,
        default: None,
        pattern: None,
        secret,
    };
    let settings: Vec<_> = [("id", false), ("domain", false), ("secret", true), ("token", true)].map(setting).into();
    let mut out = Diagnostics::default();
    let tree = yaml::parse(&File::new("connectors/a.yml", text)).unwrap();
    let auth = spec::Auth::read(&tree, &mut out).and_then(|written| compile(&written, &settings, &mut out));
    (auth, out.into_sorted())
}

fn sound(text: &str) -> Auth {
    let (auth, diagnostics) = compiled(text);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    auth.unwrap()
}

/// What is said: code, message, cure.
fn said(text: &str) -> Vec<(Code, String, String)> {
    let (_, diagnostics) = compiled(text);
    diagnostics.into_iter().map(|d| (d.code, d.message, d.help.unwrap_or_default())).collect()
}

#[test]
fn every_kind_is_read() {
    assert!(matches!(sound("{}").proof, Proof::None));
    assert!(matches!(sound("bearer: '{{ settings.token }}'").proof, Proof::Bearer(_)));
    assert!(matches!(sound("header: { name: X-Auth-Token, value: 'a {{ settings.token }}' }").proof,
        Proof::Header { name, .. } if name == "x-auth-token"));
    assert!(matches!(sound("basic: { user: '{{ settings.token }}', password: X }").proof, Proof::Basic { .. }));
    assert!(
        matches!(sound("query: { name: sig, value: '{{ settings.token }}' }").proof, Proof::Query { name, .. } if name == "sig")
    );
    assert!(matches!(
        sound("path: { before: '/a/{{ settings.token }}' }").proof,
        Proof::Path { before: Some(_), after: None }
    ));
    let aws =
        "aws: { service: s, region: r, access_key_id: '{{ settings.id }}', secret_access_key: '{{ settings.secret }}' }";
    assert!(matches!(sound(aws).proof, Proof::Aws(Aws { session_token: None, .. })));
    let csrf = sound("{ bearer: '{{ settings.token }}', csrf: { path: /a/ } }").csrf.unwrap();
    assert_eq!(csrf.header, "x-csrf-token");
}

fn oauth2(text: &str) -> OAuth2 {
    match sound(text).proof {
        Proof::OAuth2(oauth2) => *oauth2,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_grant_is_read() {
    let client = "client_id: '{{ settings.id }}', client_secret: '{{ settings.secret }}'";
    let credentials = oauth2(&format!(
        "oauth2: {{ grant: client_credentials, token_url: 'https://{{{{ settings.domain }}}}/token', {client}, client_in: basic, body: json, expires_after: 2h }}"
    ));
    assert!(matches!(credentials.grant, Grant::ClientCredentials));
    assert!(credentials.client_basic && credentials.json);
    assert_eq!(credentials.expires_after, Some(Duration::from_secs(7200)));
    assert_eq!(credentials.sent_in, "authorization");
    let refresh = oauth2(&format!(
        "oauth2: {{ grant: refresh_token, token_url: https://a.test/, {client}, refresh_token: '{{{{ settings.token }}}}', rotates: true, sent_in: X-A, \
         base: {{ from: api_domain, host: 'a|b' }} }}"
    ));
    assert!(matches!(refresh.grant, Grant::RefreshToken { rotates: true, .. }));
    assert_eq!(refresh.sent_in, "x-a");
    let host = refresh.base.unwrap().host;
    assert!(host.is_match("a") && !host.is_match("ab"), "the whole host has to match");
    let bearer = oauth2(
        "oauth2: { grant: jwt_bearer, token_url: https://a.test/, assertion: { key: '{{ settings.secret }}', issuer: i, subject: s, audience: a } }",
    );
    let Grant::JwtBearer(assertion) = bearer.grant else { panic!() };
    assert_eq!(assertion.lifetime, Duration::from_secs(180));
}

#[test]
fn what_is_wrong_is_said_with_its_cure() {
    const O: &str = "oauth2: { token_url: https://a.test/, client_id: i, client_secret: '{{ settings.secret }}', grant: ";
    let cases: &[(&str, Code, &str, &str)] = &[
        (
            "{ bearer: '{{ settings.token }}', query: { name: a, value: '{{ settings.token }}' } }",
            Code::MisplacedKey,
            "one kind of proof",
            "all but one",
        ),
        ("bearer: abc", Code::WrittenSecret, "a secret is not written", "`secret: true`"),
        ("bearer: '{{ settings.id }}'", Code::BadValue, "no secret setting", "`secret: true`"),
        (
            "basic: { user: '{{ settings.id }}', password: X }",
            Code::WrittenSecret,
            "a secret is not written",
            "`secret: true`",
        ),
        ("path: { after: /a }", Code::BadValue, "no secret setting", "`secret: true`"),
        ("bearer: '{{ settings.tokn }}'", Code::UnknownName, "no setting `tokn`", "did you mean `token`?"),
        ("bearer: '{{ settings.token }}{{ slots.a }}'", Code::UnknownName, "`slots`", ""),
        ("header: { name: 'X A', value: '{{ settings.token }}' }", Code::BadName, "name of a header", ""),
        ("header: { name: Host, value: '{{ settings.token }}' }", Code::BadName, "not yours to set", ""),
        ("path: {}", Code::MissingKey, "`before` and `after`", ""),
        ("path: { before: 'a/{{ settings.token }}' }", Code::BadValue, "begins with `/`", ""),
        ("{ bearer: '{{ settings.token }}', csrf: { path: a } }", Code::BadValue, "begins with `/`", ""),
        (
            "oauth2: { grant: client_credentials, token_url: http://a.test/, client_id: i, client_secret: '{{ settings.secret }}' }",
            Code::BadValue,
            "over TLS",
            "",
        ),
        (
            "oauth2: { grant: client_credentials, token_url: https://a.test/, client_id: i }",
            Code::MissingKey,
            "needs the key `client_secret`",
            "",
        ),
        (
            "oauth2: { grant: refresh_token, token_url: https://a.test/, client_id: i }",
            Code::MissingKey,
            "needs the key `refresh_token`",
            "",
        ),
        ("oauth2: { grant: jwt_bearer, token_url: https://a.test/ }", Code::MissingKey, "needs the key `assertion`", ""),
        (&format!("{O} password }}"), Code::BadValue, "no grant `password`", "one of"),
        (
            &format!("{O} client_credentials, rotates: true }}"),
            Code::MisplacedKey,
            "`rotates` belongs to `grant: refresh_token`",
            "",
        ),
        (&format!("{O} client_credentials, client_in: header }}"), Code::BadValue, "`header` is not known", "`basic`"),
        (&format!("{O} client_credentials, body: yaml }}"), Code::BadValue, "`yaml` is not known", "`json`"),
        (&format!("{O} client_credentials, expires_after: soon }}"), Code::BadValue, "not a duration", ""),
        (
            &format!("{O} client_credentials, sent_as: 'Bearer token' }}"),
            Code::BadValue,
            "leaves the token out",
            "`{{ token }}`",
        ),
        (
            &format!("{O} client_credentials, base: {{ from: a, host: '(' }} }}"),
            Code::BadValue,
            "not a regular expression",
            "",
        ),
        (&format!("{O} client_credentials, scope: a }}"), Code::UnknownKey, "no key `scope`", ""),
    ];
    for (text, code, message, help) in cases {
        let found = said(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        let (found_code, found_message, found_help) = &found[0];
        assert_eq!(found_code, code, "{text}: {found:?}");
        assert!(found_message.contains(message), "{text}: {found_message}");
        assert!(found_help.contains(help), "{text}: {found_help}");
    }
}

/// What is said of a whole connector with this `auth`.
fn said_of_ways(auth: &str) -> (Option<Ways>, Vec<(Code, String)>) {
    let text = format!(
        "kind: http\nsettings:\n  grant: {{ default: basic }}\n  user: {{}}\n  team: {{}}\n  password: {{ secret: true }}\n  \
         token: {{ secret: true }}\nbase: 'https://{{{{ settings.team }}}}.example'\nauth: {auth}\n\
         operations: {{ a: {{ request: GET /a }} }}\n"
    );
    let mut out = Diagnostics::default();
    let tree = yaml::parse(&File::new("connectors/a.yml", text)).unwrap();
    let written = crate::spec::connector::Connector::read(&tree, &mut out).unwrap();
    let beside = crate::plan::connector::Beside { files: &Default::default(), formats: None };
    let (connector, said) = crate::plan::connector::compile_connector("a", &written, &beside);
    let ways = connector.map(|it| match it.system {
        crate::plan::connector::System::Http(system) => system.auth,
        crate::plan::connector::System::Sql(_) => panic!("it is of `kind: http`"),
    });
    (ways, out.into_sorted().into_iter().chain(said).map(|it| (it.code, it.message)).collect())
}

#[test]
fn a_setting_that_only_ways_use_is_needed_by_those_alone() {
    let ways = "{ by: settings.grant, ways: { basic: { basic: { user: '{{ settings.user }} {{ settings.team }}', password: \
                '{{ settings.password }}' } }, token: { bearer: '{{ settings.token }}' } } }";
    let (auth, said) = said_of_ways(ways);
    let (Some(Ways::Several(choice)), true) = (auth, said.is_empty()) else { panic!("{said:?}") };
    assert_eq!((choice.by.as_str(), choice.names().as_str()), ("grant", "`basic`, `token`"));
    let needed = |way: &str| {
        let way = choice.of(way);
        ["grant", "user", "team", "password", "token"].map(|setting| choice.needs(setting, way))
    };
    assert_eq!(needed("basic"), [true, true, true, true, false]);
    assert_eq!(needed("token"), [true, false, true, false, true]);
    assert_eq!(needed("none of them"), [true, false, true, false, false]);
}

#[test]
fn ways_are_chosen_by_a_setting_that_has_their_names() {
    let way = "basic: { bearer: '{{ settings.token }}' }";
    for (auth, code, says) in [
        ("{ by: settings.grant }".to_owned(), Code::MissingKey, "belong together"),
        (format!("{{ ways: {{ {way} }} }}"), Code::MissingKey, "belong together"),
        (format!("{{ by: grant, ways: {{ {way} }} }}"), Code::BadValue, "a setting chooses"),
        (format!("{{ by: settings.grnat, ways: {{ {way} }} }}"), Code::UnknownName, "no setting `grnat`"),
        (format!("{{ by: settings.token, ways: {{ {way} }} }}"), Code::BadValue, "a secret or a map"),
        (format!("{{ by: settings.grant, ways: {{ b{way} }} }}"), Code::BadValue, "none of `ways`"),
        (format!("{{ by: settings.grant, bearer: x, ways: {{ {way} }} }}"), Code::MisplacedKey, "`bearer`"),
        (
            format!("{{ by: settings.grant, ways: {{ basic: {{ by: settings.grant, ways: {{ {way} }} }} }} }}"),
            Code::MisplacedKey,
            "of its own",
        ),
    ] {
        let (_, said) = said_of_ways(&auth);
        assert!(matches!(said.as_slice(), [(one, message)] if *one == code && message.contains(says)), "{auth}: {said:?}");
    }
}
