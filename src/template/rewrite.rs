//! The pass between parsing and code: finds what is unknown, gathers the names, and puts bounds where the engine has none.
//!
//! - `+`, `*`, `~`, `in`, slices and the four orderings become our own operators, which are bounded and do not guess.
//! - Raw text inside a block is printed as a value, so that what a loop prints is counted.
//! - An `if` expression without `else` is null, not an absent value.
//! - Filters, tests and functions are looked up now, where their place is known, rather than when the line runs.

use std::ops::Range;

use minijinja::Value;
use minijinja::machinery::Span;
use minijinja::machinery::ast::{self, CallArg, Expr, Spanned, Stmt};

use crate::format::date_out::check_format;
use crate::format::moment::Unit;

use super::bounds;
use super::failure::{Wrong, WrongKind};
use super::filters::check_regex;
use super::names::{Introduced, Reference, path};
use super::registry::{Sort, registry};

/// The bytes of a span.
pub(super) fn range_of(span: Span) -> Range<usize> {
    span.start_offset as usize..span.end_offset.max(span.start_offset) as usize
}

/// From the beginning of one span to the end of another.
fn joined(from: Span, to: Span) -> Span {
    let (start_line, start_col, start_offset) = (from.start_line, from.start_col, from.start_offset);
    Span { start_line, start_col, start_offset, ..to }
}

/// What the pass learns and holds.
pub(super) struct Rewriter<'a> {
    source: &'a str,
    introduced: Introduced<'a>,
    /// How many blocks are open that run their body more than once or capture it.
    nested: usize,
    /// How deep the expression is nested.
    depth: usize,
    /// The names found so far.
    pub(super) references: Vec<Reference>,
    /// The first mistake.
    pub(super) wrong: Option<Wrong>,
}

impl<'a> Rewriter<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        Self { source, introduced: Introduced::new(), nested: 0, depth: 0, references: Vec::new(), wrong: None }
    }

    fn blame(&mut self, wrong: Wrong) {
        self.wrong.get_or_insert(wrong);
    }

    /// Where `name` stands within a span, or the span.
    fn locate(&self, span: Span, name: &str, last: bool) -> Range<usize> {
        let range = range_of(span);
        let piece = self.source.get(range.clone()).unwrap_or_default();
        let at = if last { piece.rfind(name) } else { piece.find(name) };
        at.map_or(range.clone(), |at| range.start + at..range.start + at + name.len())
    }

    fn known(&mut self, sort: Sort, name: &str, range: Range<usize>) {
        if registry().has(sort, name) {
            return;
        }
        let similar = registry().similar(sort, name);
        let cure = similar.as_ref().map_or_else(String::new, |similar| format!(", did you mean `{similar}`?"));
        let (word, name) = (sort.word(), name.to_owned());
        let message = format!("there is no {word} `{name}`{cure}");
        let kind = match sort {
            Sort::Filter => WrongKind::UnknownFilter { name, similar },
            Sort::Function => WrongKind::UnknownFunction { name, similar },
            Sort::Test => WrongKind::UnknownTest { name, similar },
        };
        self.blame(Wrong { message, range: Some(range), kind });
    }

    /// `map("upper")`, `select("defined")` and their like name a filter or test as text.
    fn known_in_text(&mut self, filter: &str, args: &[CallArg<'a>]) {
        let (sort, index) = match filter {
            "map" => (Sort::Filter, 0),
            "select" | "reject" => (Sort::Test, 0),
            "selectattr" | "rejectattr" => (Sort::Test, 1),
            _ => return,
        };
        if let Some(CallArg::Pos(Expr::Const(name))) = args.get(index)
            && let Some(text) = name.value.as_str()
        {
            self.known(sort, text, range_of(name.span()));
        }
    }

    /// Patterns, date formats and units that are written out are checked now.
    fn constants(&mut self, name: &str, args: &[CallArg<'a>]) {
        let (index, check): (usize, fn(&str) -> Result<(), String>) = match name {
            "regex_find" | "regex_findall" | "regex_replace" | "regex_match" => (0, check_regex),
            "date" | "time" => (0, check_format),
            "add" => {
                (1, |unit| Unit::parse(unit).map(|_| ()).ok_or_else(|| "not a unit of time: second to year".to_owned()))
            }
            _ => return,
        };
        if let Some(CallArg::Pos(Expr::Const(constant))) = args.get(index)
            && let Some(text) = constant.value.as_str()
            && let Err(reason) = check(text)
        {
            self.blame(Wrong::syntax(reason, range_of(constant.span())));
        }
    }

    // === statements ===

    pub(super) fn body(&mut self, body: &[Stmt<'a>]) -> Vec<Stmt<'a>> {
        body.iter().map(|stmt| self.stmt(stmt)).collect()
    }

    fn block(&mut self, body: &[Stmt<'a>]) -> Vec<Stmt<'a>> {
        self.introduced.enter();
        let body = self.body(body);
        self.introduced.leave();
        body
    }

    fn repeated(&mut self, body: &[Stmt<'a>]) -> Vec<Stmt<'a>> {
        self.nested += 1;
        let body = self.block(body);
        self.nested -= 1;
        body
    }

    pub(super) fn stmt(&mut self, stmt: &Stmt<'a>) -> Stmt<'a> {
        match stmt {
            Stmt::Template(node) => {
                Stmt::Template(Spanned::new(ast::Template { children: self.body(&node.children) }, node.span()))
            }
            Stmt::EmitExpr(node) => Stmt::EmitExpr(Spanned::new(ast::EmitExpr { expr: self.expr(&node.expr) }, node.span())),
            Stmt::EmitRaw(node) if self.nested > 0 => {
                let value = Expr::Const(Spanned::new(ast::Const { value: Value::from(node.raw) }, node.span()));
                Stmt::EmitExpr(Spanned::new(ast::EmitExpr { expr: value }, node.span()))
            }
            Stmt::EmitRaw(node) => Stmt::EmitRaw(Spanned::new(ast::EmitRaw { raw: node.raw }, node.span())),
            Stmt::ForLoop(node) => self.for_loop(node),
            Stmt::IfCond(node) => {
                let expr = self.expr(&node.expr);
                let (true_body, false_body) = (self.body(&node.true_body), self.body(&node.false_body));
                Stmt::IfCond(Spanned::new(ast::IfCond { expr, true_body, false_body }, node.span()))
            }
            Stmt::WithBlock(node) => {
                self.introduced.enter();
                let mut assignments = Vec::new();
                for (target, value) in &node.assignments {
                    let value = self.expr(value);
                    self.introduced.assign(target);
                    assignments.push((self.target(target), value));
                }
                let body = self.body(&node.body);
                self.introduced.leave();
                Stmt::WithBlock(Spanned::new(ast::WithBlock { assignments, body }, node.span()))
            }
            Stmt::Set(node) => {
                let expr = self.expr(&node.expr);
                self.introduced.assign(&node.target);
                Stmt::Set(Spanned::new(ast::Set { target: self.target(&node.target), expr }, node.span()))
            }
            Stmt::SetBlock(node) => {
                let filter = node.filter.as_ref().map(|filter| self.expr(filter));
                let body = self.repeated(&node.body);
                self.introduced.assign(&node.target);
                Stmt::SetBlock(Spanned::new(ast::SetBlock { target: self.target(&node.target), filter, body }, node.span()))
            }
            Stmt::FilterBlock(node) => {
                let filter = self.expr(&node.filter);
                let body = self.repeated(&node.body);
                Stmt::FilterBlock(Spanned::new(ast::FilterBlock { filter, body }, node.span()))
            }
            Stmt::Continue(node) => Stmt::Continue(Spanned::new(ast::Continue, node.span())),
            Stmt::Break(node) => Stmt::Break(Spanned::new(ast::Break, node.span())),
            Stmt::AutoEscape(node) => self.refuse("autoescape", node.span()),
            Stmt::Do(node) => self.refuse("do", node.span()),
        }
    }

    fn refuse(&mut self, tag: &str, span: Span) -> Stmt<'a> {
        self.blame(Wrong::syntax(format!("`{{% {tag} %}}` is not offered here"), range_of(span)));
        Stmt::EmitRaw(Spanned::new(ast::EmitRaw { raw: "" }, span))
    }

    fn for_loop(&mut self, node: &Spanned<ast::ForLoop<'a>>) -> Stmt<'a> {
        let iter = self.expr(&node.iter);
        self.introduced.enter();
        self.introduced.assign(&node.target);
        let filter_expr = node.filter_expr.as_ref().map(|filter| self.expr(filter));
        self.introduced.add("loop");
        let body = self.repeated(&node.body);
        self.introduced.leave();
        let else_body = self.block(&node.else_body);
        let target = self.target(&node.target);
        let recursive = node.recursive;
        Stmt::ForLoop(Spanned::new(ast::ForLoop { target, iter, filter_expr, recursive, body, else_body }, node.span()))
    }

    /// The left side of an assignment; names only.
    fn target(&mut self, target: &Expr<'a>) -> Expr<'a> {
        match target {
            Expr::Var(var) => Expr::Var(Spanned::new(ast::Var { id: var.id }, var.span())),
            Expr::List(list) => {
                let items = list.items.iter().map(|item| self.target(item)).collect();
                Expr::List(Spanned::new(ast::List { items }, list.span()))
            }
            Expr::Tuple(tuple) => {
                let items = tuple.items.iter().map(|item| self.target(item)).collect();
                Expr::Tuple(Spanned::new(ast::Tuple { items }, tuple.span()))
            }
            other => {
                self.blame(Wrong::syntax("only a name can be set", range_of(other.span())));
                null(other.span())
            }
        }
    }

    // === expressions ===

    fn opt(&mut self, expr: Option<&Expr<'a>>) -> Option<Expr<'a>> {
        expr.map(|expr| self.expr(expr))
    }

    fn exprs(&mut self, exprs: &[Expr<'a>]) -> Vec<Expr<'a>> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    pub(super) fn expr(&mut self, expr: &Expr<'a>) -> Expr<'a> {
        if self.depth >= bounds::DEPTH {
            self.blame(Wrong::syntax("the expression is nested too deep; break it up with `let`", range_of(expr.span())));
            return null(expr.span());
        }
        self.depth += 1;
        let rewritten = self.expr_within(expr);
        self.depth -= 1;
        rewritten
    }

    fn expr_within(&mut self, expr: &Expr<'a>) -> Expr<'a> {
        if let Some(reference) = path(expr) {
            if reference.path.len() > bounds::DEPTH {
                self.blame(Wrong::syntax("a name with too many keys", reference.range));
                return null(expr.span());
            }
            if !reference.path.first().is_some_and(|name| self.introduced.knows(name)) {
                self.references.push(reference);
            }
            return copy_path(expr);
        }
        match expr {
            Expr::Var(_) | Expr::Const(_) => copy_path(expr),
            Expr::Slice(node) => {
                let span = node.span();
                let mut part = |part: &Option<Expr<'a>>| CallArg::Pos(self.opt(part.as_ref()).unwrap_or_else(|| null(span)));
                let args = vec![part(&node.start), part(&node.stop), part(&node.step)];
                Expr::Filter(Spanned::new(ast::Filter { name: "[:]", expr: Some(self.expr(&node.expr)), args }, span))
            }
            Expr::UnaryOp(node) => {
                let not = matches!(node.op, ast::UnaryOpKind::Not);
                let op = if not { ast::UnaryOpKind::Not } else { ast::UnaryOpKind::Neg };
                Expr::UnaryOp(Spanned::new(ast::UnaryOp { op, expr: self.expr(&node.expr) }, node.span()))
            }
            Expr::BinOp(node) => {
                let (left, right) = (self.expr(&node.left), self.expr(&node.right));
                match own_operator(node.op) {
                    Some(name) => operator(name, left, right, node.span()),
                    None => Expr::BinOp(Spanned::new(ast::BinOp { op: node.op, left, right }, node.span())),
                }
            }
            Expr::Compare(node) => self.chain(node),
            Expr::IfExpr(node) => {
                let (test_expr, true_expr) = (self.expr(&node.test_expr), self.expr(&node.true_expr));
                let false_expr = Some(self.opt(node.false_expr.as_ref()).unwrap_or_else(|| null(node.span())));
                Expr::IfExpr(Spanned::new(ast::IfExpr { test_expr, true_expr, false_expr }, node.span()))
            }
            Expr::Filter(node) => {
                self.known(Sort::Filter, node.name, self.locate(node.span(), node.name, true));
                self.known_in_text(node.name, &node.args);
                self.constants(node.name, &node.args);
                let (expr, args) = (self.opt(node.expr.as_ref()), self.args(&node.args));
                let span = node.expr.as_ref().map_or(node.span(), |expr| joined(expr.span(), node.span()));
                Expr::Filter(Spanned::new(ast::Filter { name: node.name, expr, args }, span))
            }
            Expr::Test(node) => {
                self.known(Sort::Test, node.name, self.locate(node.span(), node.name, true));
                self.constants(node.name, &node.args);
                let (expr, args) = (self.expr(&node.expr), self.args(&node.args));
                Expr::Test(Spanned::new(ast::Test { name: node.name, expr, args }, node.span()))
            }
            Expr::GetAttr(node) => {
                Expr::GetAttr(Spanned::new(ast::GetAttr { expr: self.expr(&node.expr), name: node.name }, node.span()))
            }
            Expr::GetItem(node) => {
                let (expr, subscript_expr) = (self.expr(&node.expr), self.expr(&node.subscript_expr));
                Expr::GetItem(Spanned::new(ast::GetItem { expr, subscript_expr }, node.span()))
            }
            Expr::Call(node) => self.call(node),
            Expr::List(node) => Expr::List(Spanned::new(ast::List { items: self.exprs(&node.items) }, node.span())),
            Expr::Tuple(node) => Expr::Tuple(Spanned::new(ast::Tuple { items: self.exprs(&node.items) }, node.span())),
            Expr::Map(node) => {
                let (keys, values) = (self.exprs(&node.keys), self.exprs(&node.values));
                Expr::Map(Spanned::new(ast::Map { keys, values }, node.span()))
            }
        }
    }

    /// `a < b < c` is `a < b and b < c`.
    fn chain(&mut self, node: &Spanned<ast::Compare<'a>>) -> Expr<'a> {
        let span = node.span();
        let mut left = &node.expr;
        let mut whole: Option<Expr<'a>> = None;
        for link in &node.ops {
            let (a, b) = (self.expr(left), self.expr(&link.expr));
            let (op, negated) = match link.op {
                ast::CompareOpKind::Eq => (ast::BinOpKind::Eq, false),
                ast::CompareOpKind::Ne => (ast::BinOpKind::Ne, false),
                ast::CompareOpKind::Lt => (ast::BinOpKind::Lt, false),
                ast::CompareOpKind::Lte => (ast::BinOpKind::Lte, false),
                ast::CompareOpKind::Gt => (ast::BinOpKind::Gt, false),
                ast::CompareOpKind::Gte => (ast::BinOpKind::Gte, false),
                ast::CompareOpKind::In => (ast::BinOpKind::In, false),
                ast::CompareOpKind::NotIn => (ast::BinOpKind::In, true),
            };
            let mut one = match own_operator(op) {
                Some(name) => operator(name, a, b, span),
                None => Expr::BinOp(Spanned::new(ast::BinOp { op, left: a, right: b }, span)),
            };
            if negated {
                one = Expr::UnaryOp(Spanned::new(ast::UnaryOp { op: ast::UnaryOpKind::Not, expr: one }, span));
            }
            whole = Some(match whole {
                None => one,
                Some(left) => Expr::BinOp(Spanned::new(ast::BinOp { op: ast::BinOpKind::ScAnd, left, right: one }, span)),
            });
            left = &link.expr;
        }
        whole.unwrap_or_else(|| null(span))
    }

    fn args(&mut self, args: &[CallArg<'a>]) -> Vec<CallArg<'a>> {
        args.iter()
            .map(|arg| match arg {
                CallArg::Pos(expr) => CallArg::Pos(self.expr(expr)),
                CallArg::Kwarg(name, expr) => CallArg::Kwarg(name, self.expr(expr)),
                CallArg::PosSplat(expr) => CallArg::PosSplat(self.expr(expr)),
                CallArg::KwargSplat(expr) => CallArg::KwargSplat(self.expr(expr)),
            })
            .collect()
    }

    fn call(&mut self, node: &Spanned<ast::Call<'a>>) -> Expr<'a> {
        let callee = match &node.expr {
            Expr::Var(var) => {
                if !(var.id == "loop" && self.introduced.knows("loop")) {
                    self.known(Sort::Function, var.id, range_of(var.span()));
                }
                copy_path(&node.expr)
            }
            Expr::GetAttr(attr) if of_loop(attr) && self.introduced.knows("loop") => copy_path(&node.expr),
            Expr::GetAttr(attr) => {
                self.method(attr);
                self.expr(&attr.expr)
            }
            other => {
                self.blame(Wrong::syntax("only functions can be called", range_of(other.span())));
                self.expr(other)
            }
        };
        Expr::Call(Spanned::new(ast::Call { expr: callee, args: self.args(&node.args) }, node.span()))
    }

    fn method(&mut self, attr: &Spanned<ast::GetAttr<'a>>) {
        let name = attr.name.to_owned();
        let similar = registry().similar(Sort::Filter, &name);
        let cure = similar.as_ref().map_or_else(String::new, |filter| format!(": write `… | {filter}`"));
        let message = format!("values have no methods, and `.{name}()` is one{cure}");
        let range = Some(self.locate(attr.span(), attr.name, true));
        self.blame(Wrong { message, range, kind: WrongKind::UnknownFunction { name, similar } });
    }
}

fn of_loop(attr: &ast::GetAttr<'_>) -> bool {
    matches!(&attr.expr, Expr::Var(var) if var.id == "loop") && matches!(attr.name, "cycle" | "changed")
}

/// The filter that stands for an operator; its name cannot be written as one.
fn own_operator(op: ast::BinOpKind) -> Option<&'static str> {
    Some(match op {
        ast::BinOpKind::Add => "+",
        ast::BinOpKind::Mul => "*",
        ast::BinOpKind::Concat => "~",
        ast::BinOpKind::Lt => "<",
        ast::BinOpKind::Lte => "<=",
        ast::BinOpKind::Gt => ">",
        ast::BinOpKind::Gte => ">=",
        ast::BinOpKind::In => "∈",
        _ => return None,
    })
}

fn operator<'a>(name: &'static str, left: Expr<'a>, right: Expr<'a>, span: Span) -> Expr<'a> {
    Expr::Filter(Spanned::new(ast::Filter { name, expr: Some(left), args: vec![CallArg::Pos(right)] }, span))
}

fn null<'a>(span: Span) -> Expr<'a> {
    Expr::Const(Spanned::new(ast::Const { value: Value::from(()) }, span))
}

/// A copy of a name with its keys, or of a constant.
fn copy_path<'a>(expr: &Expr<'a>) -> Expr<'a> {
    match expr {
        Expr::Var(node) => Expr::Var(Spanned::new(ast::Var { id: node.id }, node.span())),
        Expr::Const(node) => Expr::Const(Spanned::new(ast::Const { value: node.value.clone() }, node.span())),
        Expr::GetAttr(node) => {
            Expr::GetAttr(Spanned::new(ast::GetAttr { expr: copy_path(&node.expr), name: node.name }, node.span()))
        }
        Expr::GetItem(node) => {
            let (expr, subscript_expr) = (copy_path(&node.expr), copy_path(&node.subscript_expr));
            Expr::GetItem(Spanned::new(ast::GetItem { expr, subscript_expr }, node.span()))
        }
        other => null(other.span()),
    }
}
