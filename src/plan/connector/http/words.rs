//! Every text of an operation's requests, to look for the inputs that nothing uses.

use crate::spec::connector as spec;
use crate::spec::connector_http::{HttpError, IdempotencyRef, PagesRef};
use crate::spec::{Map, Node, Text};

/// Adds the texts of an operation's requests, each on a line of its own.
pub(in crate::plan::connector) fn words(written: &spec::Operation, used: &mut String) {
    macro_rules! request {
        ($it:expr) => {
            let it = $it;
            [&it.request, &it.xml, &it.text, &it.rows].into_iter().flatten().for_each(|text| line(text, used));
            it.headers.iter().filter_map(|(_, text)| text.0.as_ref()).for_each(|text| line(text, used));
            nodes(&it.query, used);
            nodes(&it.form, used);
            it.json.iter().for_each(|node| node_line(node, used));
            it.graphql.iter().for_each(|it| {
                line(&it.query, used);
                nodes(&it.variables, used);
            });
            errors(&it.errors, used);
            if let Some(PagesRef::Own(pages)) = &it.pages {
                line(&pages.next, used);
                pages.enough.iter().for_each(|text| line(text, used));
            }
            if let Some(IdempotencyRef::Own(own)) = &it.idempotency {
                own.lookup.iter().for_each(|step| lookup(step, used));
            }
        };
    }
    fn lookup(step: &spec::Step, used: &mut String) {
        step.request.iter().chain(&step.rows).for_each(|text| line(text, used));
        nodes(&step.query, used);
        step.json.iter().for_each(|node| node_line(node, used));
    }
    nodes(&written.r#let, used);
    request!(written);
    for step in &written.steps {
        request!(step);
    }
}

fn errors(errors: &[HttpError], used: &mut String) {
    errors.iter().flat_map(|it| it.when.iter().chain(&it.say)).for_each(|text| line(text, used));
}

fn nodes(map: &Map<Node>, used: &mut String) {
    map.iter().for_each(|(_, node)| node_line(node, used));
}

fn node_line(node: &Node, used: &mut String) {
    *used += &node.to_json().to_string();
    used.push('\n');
}

fn line(text: &Text, used: &mut String) {
    used.extend([text.as_str(), "\n"]);
}
