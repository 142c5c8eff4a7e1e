//! Panics are bugs: they are counted and logged with their place, and with their text only when it is a fixed one, because
//! a formatted text may hold a value.

use std::any::Any;
use std::panic::PanicHookInfo;

use super::Metric;

/// Logs every panic of this process through the log, in place of the plain print to stderr. To be called once at start.
pub fn report() {
    std::panic::set_hook(Box::new(|info: &PanicHookInfo<'_>| {
        let place = info.location().map(ToString::to_string);
        tracing::error!(place, said = said(info.payload()), "panicked");
        metrics::counter!(Metric::PanicsTotal.name()).increment(1);
    }));
}

/// The text of a panic that may be logged.
#[must_use]
pub fn said(payload: &(dyn Any + Send)) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("(the text is not logged, it may hold a value)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_fixed_texts_are_told() {
        let fixed = std::panic::catch_unwind(|| panic!("fixed")).unwrap_err();
        assert_eq!(said(fixed.as_ref()), "fixed");
        let formatted =
            std::panic::catch_unwind(|| panic!("holds {}", std::hint::black_box("hunter2").to_owned())).unwrap_err();
        assert!(!said(formatted.as_ref()).contains("hunter2"));
    }
}
