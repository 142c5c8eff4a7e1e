//! Guards: `and`, `or` and `not` stand around comparisons and nowhere else, so that what is neither true nor false can only
//! ever lead to a no.

use minijinja::machinery::ast::{self, Expr, Spanned};

use super::super::guard::{refused, strict_not};
use super::nodes::{null, range_of};
use super::pass::Rewriter;

impl<'a> Rewriter<'a> {
    /// Rewrites a guard.
    pub(in super::super) fn guard(&mut self, expr: &Expr<'a>) -> Expr<'a> {
        self.strict = true;
        self.formula(expr)
    }

    fn formula(&mut self, expr: &Expr<'a>) -> Expr<'a> {
        match expr {
            Expr::BinOp(node) if is_joint(node.op) => {
                let (left, right) = (self.formula(&node.left), self.formula(&node.right));
                Expr::BinOp(Spanned::new(ast::BinOp { op: node.op, left, right }, node.span()))
            }
            Expr::UnaryOp(node) if matches!(node.op, ast::UnaryOpKind::Not) => strict_not(node, self.expr(&node.expr)),
            other => self.expr(other),
        }
    }

    /// What a guard may not hold; what stands for it then does not matter.
    pub(super) fn not_in_a_guard(&mut self, expr: &Expr<'a>) -> Option<Expr<'a>> {
        let what = match expr {
            _ if !self.strict => return None,
            Expr::BinOp(node) if is_joint(node.op) => "`and` or `or` within another operator",
            Expr::UnaryOp(node) if matches!(node.op, ast::UnaryOpKind::Not) => "`not` within another operator",
            Expr::IfExpr(_) => "`if`",
            Expr::Call(_) => "function",
            _ => return None,
        };
        self.blame(refused(what, "", range_of(expr.span())));
        Some(null(expr.span()))
    }
}

fn is_joint(op: ast::BinOpKind) -> bool {
    matches!(op, ast::BinOpKind::ScAnd | ast::BinOpKind::ScOr)
}
