//! `fallback:` of legwork.yml.

use super::Compiler;
use crate::plan::assistant::{Address, Login};
use crate::plan::fallback::Fallback;
use crate::secret::Reference;
use crate::spec::settings as spec;

impl Compiler<'_> {
    pub(super) fn fallback(&mut self, written: &spec::Fallback) -> Option<Fallback> {
        let allow_private: Vec<_> = written.allow_private.iter().filter_map(|host| self.host(host)).collect();
        let url = match Reference::parse(&written.url.value) {
            Some(reference) => Some(Address::Kept(reference)),
            None => self.written(&written.url, &Login::Open, &allow_private),
        };
        Some(Fallback { url: url?, allow_private })
    }
}
