//! Compiles how further pages of an answer are asked for.

use super::step::{Steps, Written};
use super::{Body, PageInto, Pages, Request};
use crate::diag::{Code, Diagnostic};
use crate::plan::connector::compile::{Names, expression};
use crate::plan::reading::count;
use crate::spec::connector_http::{Pages as WrittenPages, PagesRef};

impl<'a> Steps<'a, '_> {
    pub(super) fn pages(&mut self, written: &Written<'a>, request: &Request, names: &Names<'a>) -> Option<Pages> {
        let pages: &WrittenPages = match written.work.pages.as_ref()? {
            PagesRef::Own(pages) => pages,
            PagesRef::Named(name) => match self.connector.pages.get(name.as_str()) {
                Some(pages) => pages,
                None => {
                    let message = format!("the connector has no `pages` called `{}`", name.value);
                    let known = self.connector.pages.iter().map(|(name, _)| name.as_str());
                    self.out.push(Diagnostic::at(Code::UnknownName, &name.span, message).did_you_mean(name.as_str(), known));
                    return None;
                }
            },
        };
        let into = match (&pages.query, &pages.json, pages.link.as_ref().is_some_and(|flag| flag.value)) {
            (Some(name), None, false) => PageInto::Query(name.value.clone()),
            (None, Some(place), false) if matches!(request.body, Body::Json(_)) => {
                PageInto::Json(place.as_str().split('.').map(str::to_owned).collect())
            }
            (None, None, true) => PageInto::Link,
            _ => {
                let message =
                    "the next page's value goes into exactly one place: `query`, `json` (of a JSON body) or `link: true`";
                self.out.push(
                    Diagnostic::at(Code::BadRequest, &pages.span, message)
                        .help("write `query: page`, `json: after` or `link: true`"),
                );
                return None;
            }
        };
        let most = pages.most.as_ref().and_then(|whole| count(whole, self.out)).or_else(|| 10.try_into().ok())?;
        let next = expression(&pages.next, &names.with(["body", "http", "rows"]), self.out);
        let enough = self.optional(pages.enough.as_ref(), &names.with([]));
        Some(Pages { next: next?, into, most, enough: enough? })
    }
}
