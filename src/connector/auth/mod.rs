//! Authentication: makes a request prove who we are.
//!
//! [`Auth`] is what one connection proves itself with. What a token is fetched with is in `oauth2`, that it is fetched by
//! one at a time and before it ends in `kept`. Secrets are read from settings once, when a connection is opened; none is
//! in an error's text, and none is put into a request that would travel without TLS.

mod apply;
mod assertion;
mod aws;
mod csrf;
mod kept;
mod oauth1;
mod oauth2;
mod refresh;
mod settings;

pub(in crate::connector) use apply::Auth;

#[cfg(test)]
mod tests;
