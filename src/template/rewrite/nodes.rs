//! Places, and nodes of the syntax tree that the pass makes or copies.

use std::ops::Range;

use minijinja::Value;
use minijinja::machinery::Span;
use minijinja::machinery::ast::{self, CallArg, Expr, Spanned};

/// The bytes of a span.
pub(in super::super) fn range_of(span: Span) -> Range<usize> {
    span.start_offset as usize..span.end_offset.max(span.start_offset) as usize
}

/// From the beginning of one span to the end of another.
pub(super) fn joined(from: Span, to: Span) -> Span {
    let (start_line, start_col, start_offset) = (from.start_line, from.start_col, from.start_offset);
    Span { start_line, start_col, start_offset, ..to }
}

/// The filter that stands for an operator; its name cannot be written as one.
pub(super) fn own_operator(op: ast::BinOpKind) -> Option<&'static str> {
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

pub(super) fn operator<'a>(name: &'static str, left: Expr<'a>, right: Expr<'a>, span: Span) -> Expr<'a> {
    Expr::Filter(Spanned::new(ast::Filter { name, expr: Some(left), args: vec![CallArg::Pos(right)] }, span))
}

pub(super) fn null<'a>(span: Span) -> Expr<'a> {
    Expr::Const(Spanned::new(ast::Const { value: Value::from(()) }, span))
}

/// A copy of a name with its keys, or of a constant.
pub(super) fn copy_path<'a>(expr: &Expr<'a>) -> Expr<'a> {
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
