//! The statements of a text: blocks, loops, `set`.

use minijinja::Value;
use minijinja::machinery::Span;
use minijinja::machinery::ast::{self, Expr, Spanned, Stmt};

use super::super::failure::Wrong;
use super::nodes::{null, range_of};
use super::pass::Rewriter;

impl<'a> Rewriter<'a> {
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

    pub(in super::super) fn stmt(&mut self, stmt: &Stmt<'a>) -> Stmt<'a> {
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
                let expr = self.unseen(&node.expr);
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
}
