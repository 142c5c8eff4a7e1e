//! The one environment of the process, and compiling and running code in it.
//!
//! Code borrows its source, and a source lives as long as the process: each distinct text is kept once, so reading the same
//! files again costs nothing. Only files are ever compiled, never what users send.

use std::collections::{BTreeMap, HashSet};
use std::sync::{LazyLock, Mutex, PoisonError};

use minijinja::machinery::{self, CodeGenerator, Instructions, ast};
use minijinja::value::{Rest, ValueOrKwargs};
use minijinja::{AutoEscape, Environment, Error, State, UndefinedBehavior, Value};

use super::failure::{Failed, FailedKind, Wrong, fail};
use super::names::{Comparison, Reference};
use super::registry::{Nothing, Sort, registry};
use super::rewrite::Rewriter;
use super::scope::Scope;
use super::{bounds, guard, length, operators, print};

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(environment);
static NO_BLOCKS: BTreeMap<&'static str, Instructions<'static>> = BTreeMap::new();
static SOURCES: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);

/// Compiled code: an expression, or a text with expressions in it.
pub(super) struct Code {
    pub(super) source: &'static str,
    pub(super) references: Vec<Reference>,
    pub(super) comparisons: Vec<Comparison>,
    instructions: Instructions<'static>,
    size_hint: usize,
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_fuel(Some(bounds::STEPS));
    environment.set_recursion_limit(100);
    environment.set_debug(true);
    environment.set_formatter(print::format);
    operators::register(&mut environment);
    for (sort, name, function, nothing) in registry().functions() {
        match sort {
            Sort::Filter => environment.add_filter(name, metered(function, nothing)),
            Sort::Test => environment.add_test(name, metered(function, nothing)),
            Sort::Function => environment.add_function(name, metered(function, nothing)),
        }
    }
    let filters = registry().functions().filter(|(sort, ..)| *sort == Sort::Filter);
    guard::register(
        &mut environment,
        filters.map(|(_, name, function, nothing)| (name, Value::from_function(metered(function, nothing)))),
    );
    environment
}

/// The function, with its arguments charged to the evaluation's work, and without the null or absent values it does not see.
fn metered(
    function: Value,
    nothing: Nothing,
) -> impl Fn(&mut State, Rest<ValueOrKwargs>) -> Result<Value, Error> + Send + Sync + 'static {
    move |state: &mut State, args: Rest<ValueOrKwargs>| {
        let args = args.into_values();
        if let Some(value) = args.first()
            && nothing != Nothing::Seen
        {
            if value.is_undefined() {
                return Err(fail(FailedKind::Undefined, "a value is absent"));
            }
            if value.is_none() && nothing == Nothing::Passed {
                return Ok(value.clone());
            }
        }
        for arg in &args {
            match arg.as_str() {
                Some(text) if text.len() >= 32 => bounds::work(state, 0, text.len())?,
                Some(_) => {}
                None if arg.as_object().is_some() => bounds::work(state, arg.len().unwrap_or(1), 0)?,
                None => {}
            }
        }
        function.call(state, &args)
    }
}

fn kept(source: &str) -> &'static str {
    let mut sources = SOURCES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(kept) = sources.get(source) {
        return kept;
    }
    let kept: &'static str = Box::leak(Box::from(source));
    sources.insert(kept);
    kept
}

/// The first mistake of a finished pass, else what it learned.
fn finish(pass: Rewriter<'_>) -> Result<(Vec<Reference>, Vec<Comparison>), Wrong> {
    match pass.wrong {
        Some(wrong) => Err(wrong),
        None => Ok((pass.references, pass.comparisons)),
    }
}

type Rewrite = for<'p> fn(&'p mut Rewriter<'static>, &'p ast::Expr<'static>) -> ast::Expr<'static>;

/// Compiles a bare expression.
pub(super) fn expression(source: &str) -> Result<Code, Wrong> {
    trimmed(source, "the expression is empty", |pass, parsed| pass.expr(parsed))
}

/// Compiles a guard.
pub(super) fn guard(source: &str) -> Result<Code, Wrong> {
    trimmed(source, "the guard is empty", Rewriter::guard)
}

/// Compiles without leading blanks; places are those of the source as it was given.
fn trimmed(source: &str, empty: &str, rewrite: Rewrite) -> Result<Code, Wrong> {
    let trimmed = source.trim_start();
    if trimmed.is_empty() {
        return Err(Wrong::syntax(empty, 0..source.len()));
    }
    let before = source.len() - trimmed.len();
    Ok(bare(trimmed, rewrite).map_err(|wrong| wrong.moved(before))?.moved(before))
}

fn bare(source: &str, rewrite: Rewrite) -> Result<Code, Wrong> {
    let source = kept(source);
    length::check_expression(source)?;
    let parsed = machinery::parse_expr(source).map_err(|error| Wrong::parse(&error, source))?;
    let mut pass = Rewriter::new(source);
    let expr = rewrite(&mut pass, &parsed);
    let (references, comparisons) = finish(pass)?;
    let mut generator = CodeGenerator::new("<expression>", source);
    generator.compile_expr(&expr);
    Ok(Code { source, references, comparisons, instructions: generator.finish().0, size_hint: 0 })
}

/// Compiles a text with `{{ … }}` in it; the flag says whether it is one expression and nothing else.
pub(super) fn text(source: &str) -> Result<(Code, bool), Wrong> {
    let source = kept(source);
    length::check_text(source)?;
    let parsed = machinery::parse(source, "<text>", minijinja::syntax::SyntaxConfig::default());
    let parsed = parsed.map_err(|error| Wrong::parse(&error, source))?;
    let mut pass = Rewriter::new(source);
    let mut generator = CodeGenerator::new("<text>", source);
    let alone = match &parsed {
        ast::Stmt::Template(template) => match template.children.as_slice() {
            [ast::Stmt::EmitExpr(only)] => Some(pass.expr(&only.expr)),
            _ => None,
        },
        _ => None,
    };
    let typed = alone.is_some();
    match alone {
        Some(expr) => generator.compile_expr(&expr),
        None => {
            let stmt = pass.stmt(&parsed);
            if pass.wrong.is_none() {
                generator.compile_stmt(&stmt);
            }
        }
    }
    let (references, comparisons) = finish(pass)?;
    let size_hint = generator.buffer_size_hint().min(bounds::TEXT);
    Ok((Code { source, references, comparisons, instructions: generator.finish().0, size_hint }, typed))
}

impl Code {
    /// The code with its names' places in a source that begins `bytes` earlier.
    pub(super) fn moved(mut self, bytes: usize) -> Self {
        let ranges =
            self.references.iter_mut().map(|it| &mut it.range).chain(self.comparisons.iter_mut().map(|it| &mut it.range));
        for range in ranges {
            *range = range.start + bytes..range.end + bytes;
        }
        self
    }

    /// The value of an expression; it may be absent.
    pub(super) fn value(&self, scope: &Scope) -> Result<Value, Failed> {
        let mut nothing = String::new();
        self.run(scope, &mut nothing).map(Option::unwrap_or_default)
    }

    /// The text of a template.
    pub(super) fn text(&self, scope: &Scope) -> Result<String, Failed> {
        let mut text = String::with_capacity(self.size_hint);
        self.run(scope, &mut text)?;
        match text.len() > bounds::TEXT {
            true => Err(Failed::eval(&bounds::too_large(), self.source)),
            false => Ok(text),
        }
    }

    fn run(&self, scope: &Scope, printed: &mut String) -> Result<Option<Value>, Failed> {
        let mut out = machinery::make_string_output(printed);
        let root = scope.root();
        machinery::eval(&ENVIRONMENT, &self.instructions, root, &NO_BLOCKS, &mut out, AutoEscape::None)
            .map(|(value, _)| value)
            .map_err(|error| Failed::eval(&error, self.source))
    }
}
