//! Expressions.

use minijinja::machinery::ast::{self, CallArg, Expr, Spanned};

use super::super::bounds;
use super::super::cure;
use super::super::failure::{Wrong, WrongKind};
use super::super::guard::{may_test, refused, strict_filter, strict_not, strict_operator, takes_a_key};
use super::super::json::to_json;
use super::super::names::{Comparison, Reference, path};
use super::super::registry::Sort;
use super::nodes::{copy_path, joined, null, operator, own_operator, range_of};
use super::pass::Rewriter;

/// The filters that show too little of a value to use it.
const HIDING: [&str; 7] = ["mask", "mask_email", "mask_phone", "mask_card", "mask_middle", "length", "count"];

impl<'a> Rewriter<'a> {
    pub(super) fn opt(&mut self, expr: Option<&Expr<'a>>) -> Option<Expr<'a>> {
        expr.map(|expr| self.expr(expr))
    }

    /// An expression of whose value nothing is shown, or not all of it.
    pub(super) fn unseen(&mut self, expr: &Expr<'a>) -> Expr<'a> {
        self.hidden += 1;
        let rewritten = self.expr(expr);
        self.hidden -= 1;
        rewritten
    }

    /// Notes a name that is held against values that are written out.
    fn compares(&mut self, left: &Expr<'a>, op: ast::BinOpKind, right: &Expr<'a>) {
        let equals = matches!(op, ast::BinOpKind::Eq | ast::BinOpKind::Ne);
        let among = matches!(op, ast::BinOpKind::In);
        let (named, written): (_, Vec<&Expr<'a>>) = match (path(left), right) {
            (Some(named), Expr::List(list)) if among => (Some(named), list.items.iter().collect()),
            (Some(named), _) if equals => (Some(named), vec![right]),
            (None, _) if equals => (path(right), vec![left]),
            _ => return,
        };
        let own = |named: &Reference| named.path.first().is_some_and(|name| self.introduced.knows(name));
        let Some(named) = named.filter(|named| !own(named)) else { return };
        for one in written {
            if let Expr::Const(constant) = one
                && let Ok(value) = to_json(&constant.value)
            {
                let (path, range) = (named.path.clone(), range_of(constant.span()));
                self.comparisons.push(Comparison { path, value, range });
            }
        }
    }

    fn exprs(&mut self, exprs: &[Expr<'a>]) -> Vec<Expr<'a>> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    pub(in super::super) fn expr(&mut self, expr: &Expr<'a>) -> Expr<'a> {
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
        if let Expr::Var(name) = expr
            && name.id == "null"
            && !self.introduced.knows("null")
        {
            return null(expr.span());
        }
        if let Some(reference) = path(expr) {
            if reference.path.len() > bounds::DEPTH {
                self.blame(Wrong::syntax("a name with too many keys", reference.range));
                return null(expr.span());
            }
            if !reference.path.first().is_some_and(|name| self.introduced.knows(name)) {
                self.references.push(Reference { whole: self.hidden == 0, ..reference });
            }
            return copy_path(expr);
        }
        if let Some(instead) = self.not_in_a_guard(expr) {
            return instead;
        }
        match expr {
            Expr::Var(_) | Expr::Const(_) => copy_path(expr),
            Expr::Slice(node) => {
                let span = node.span();
                let mut part = |part: &Option<Expr<'a>>| CallArg::Pos(self.opt(part.as_ref()).unwrap_or_else(|| null(span)));
                let args = vec![part(&node.start), part(&node.stop), part(&node.step)];
                let name = if self.strict { "![:]" } else { "[:]" };
                Expr::Filter(Spanned::new(ast::Filter { name, expr: Some(self.unseen(&node.expr)), args }, span))
            }
            Expr::UnaryOp(node) => {
                let not = matches!(node.op, ast::UnaryOpKind::Not);
                let op = if not { ast::UnaryOpKind::Not } else { ast::UnaryOpKind::Neg };
                Expr::UnaryOp(Spanned::new(ast::UnaryOp { op, expr: self.unseen(&node.expr) }, node.span()))
            }
            Expr::BinOp(node) => {
                use ast::BinOpKind::{Eq, Gt, Gte, In, Lt, Lte, Ne};
                if matches!(node.op, Eq | Ne | In) {
                    self.compares(&node.left, node.op, &node.right);
                }
                let asks = usize::from(matches!(node.op, Eq | Ne | In | Lt | Lte | Gt | Gte));
                self.hidden += asks;
                let (left, right) = (self.expr(&node.left), self.expr(&node.right));
                self.hidden -= asks;
                match self.own(node.op) {
                    Some(name) => operator(name, left, right, node.span()),
                    None => Expr::BinOp(Spanned::new(ast::BinOp { op: node.op, left, right }, node.span())),
                }
            }
            Expr::Compare(node) => self.chain(node),
            Expr::IfExpr(node) => {
                let (test_expr, true_expr) = (self.unseen(&node.test_expr), self.expr(&node.true_expr));
                let false_expr = Some(self.opt(node.false_expr.as_ref()).unwrap_or_else(|| null(node.span())));
                Expr::IfExpr(Spanned::new(ast::IfExpr { test_expr, true_expr, false_expr }, node.span()))
            }
            Expr::Filter(node) => {
                self.known(Sort::Filter, node.name, self.locate(node.span(), node.name, true));
                self.known_in_text(node.name, &node.args);
                self.constants(node.name, &node.args);
                let hides = usize::from(HIDING.contains(&node.name));
                self.hidden += hides;
                let expr = self.opt(node.expr.as_ref());
                self.hidden -= hides;
                let args = self.args(&node.args);
                let span = node.expr.as_ref().map_or(node.span(), |expr| joined(expr.span(), node.span()));
                Expr::Filter(Spanned::new(ast::Filter { name: self.filter(node), expr, args }, span))
            }
            Expr::Test(node) => {
                if self.strict && !may_test(node.name) {
                    self.blame(refused("test ", &format!("`{}`", node.name), range_of(node.span())));
                }
                self.known(Sort::Test, node.name, self.locate(node.span(), node.name, true));
                self.constants(node.name, &node.args);
                let (expr, args) = (self.unseen(&node.expr), self.args(&node.args));
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

    /// The operator of ours that stands for one of the engine's.
    fn own(&self, op: ast::BinOpKind) -> Option<&'static str> {
        strict_operator(op).filter(|_| self.strict).or_else(|| own_operator(op))
    }

    /// The name that a filter is called by: in a guard, that of its strict form.
    fn filter(&mut self, node: &Spanned<ast::Filter<'a>>) -> &'a str {
        if !self.strict {
            return node.name;
        }
        let takes = node.name != "map" || takes_a_key(&node.args);
        if let Some(strict) = strict_filter(node.name).filter(|_| takes) {
            return strict;
        }
        self.blame(refused("filter ", &format!("`{}`", node.name), self.locate(node.span(), node.name, true)));
        node.name
    }

    /// `a < b < c` is `a < b and b < c`.
    fn chain(&mut self, node: &Spanned<ast::Compare<'a>>) -> Expr<'a> {
        let span = node.span();
        let mut left = &node.expr;
        let mut whole: Option<Expr<'a>> = None;
        for link in &node.ops {
            let (a, b) = (self.unseen(left), self.unseen(&link.expr));
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
            self.compares(left, op, &link.expr);
            let mut one = match self.own(op) {
                Some(name) => operator(name, a, b, span),
                None => Expr::BinOp(Spanned::new(ast::BinOp { op, left: a, right: b }, span)),
            };
            if negated {
                let not = Spanned::new(ast::UnaryOp { op: ast::UnaryOpKind::Not, expr: null(span) }, span);
                one = match self.strict {
                    true => strict_not(&not, one),
                    false => Expr::UnaryOp(Spanned::new(ast::UnaryOp { op: ast::UnaryOpKind::Not, expr: one }, span)),
                };
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
        let message = format!("values have no methods, and `.{name}()` is one");
        let range = Some(self.locate(attr.span(), attr.name, true));
        self.blame(Wrong { message, help: cure::of_method(&name), range, kind: WrongKind::UnknownFunction { name } });
    }
}

fn of_loop(attr: &ast::GetAttr<'_>) -> bool {
    matches!(&attr.expr, Expr::Var(var) if var.id == "loop") && matches!(attr.name, "cycle" | "changed")
}
