//! Trees that values are made of when they are needed: answers, bodies, parameters, and what `let` names.
//!
//! The words of a tree are the same wherever one stands; only what its leaves are differs, and who compiles a tree says how.
//! Nothing here makes a value.

use std::collections::BTreeSet;

use super::compile::expression;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::name::Local;
use crate::spec::{Key, Kind, Node, Text};
use crate::template::Expression;

/// A value that is made when it is needed; its leaves are `L`.
#[derive(Debug)]
pub enum Tree<L> {
    /// A value.
    Leaf(L),
    /// A list.
    List(Vec<Tree<L>>),
    /// An object.
    Map(Vec<Entry<L>>),
    /// A list made of another one, entry by entry.
    Each(Box<Each<L>>),
    /// An object joined of several: of keys that are the same, the later counts; null joins nothing.
    Merge(Vec<Tree<L>>),
}

/// One key of an object.
#[derive(Debug)]
pub struct Entry<L> {
    /// The key.
    pub key: String,
    /// Whether it is left out when its value is null.
    pub optional: bool,
    /// The value.
    pub value: Tree<L>,
}

/// A list made of another one: `{ $each: order.lines, $as: line, name: "{{ line.title }}" }`.
#[derive(Debug)]
pub struct Each<L> {
    /// The other one; null is none.
    pub list: Expression,
    /// The name of its entry.
    pub name: Local,
    /// Which entries count.
    pub when: Option<Expression>,
    /// What is made of an entry.
    pub item: Tree<L>,
}

/// The keys that make a mapping a list.
pub(super) const EACH: &str = "$each";
const AS: &str = "$as";
const WHEN: &str = "$when";
/// The key that joins mappings.
pub(super) const MERGE: &str = "$merge";

/// Compiles what stands at the end of a tree: a scalar, or a mapping whose one key begins with `$`.
pub(super) type LeafOf<L> = fn(&Node, &BTreeSet<&str>, &mut Diagnostics) -> Option<L>;

impl<L> Tree<L> {
    /// Compiles `node`, whose templates may use `names`.
    pub(super) fn compile(node: &Node, names: &BTreeSet<&str>, leaf: LeafOf<L>, out: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Map(entries) if node.get(EACH).is_some() => {
                each(node, entries, names, leaf, out).map(|it| Self::Each(Box::new(it)))
            }
            Kind::Map(entries) if is_word(entries) && node.get(MERGE).is_none() => leaf(node, names, out).map(Self::Leaf),
            Kind::Map(_) => Self::object(node, names, leaf, true, out),
            Kind::List(items) => {
                let items: Vec<_> = items.iter().map(|item| Self::compile(item, names, leaf, out)).collect();
                items.into_iter().collect::<Option<_>>().map(Self::List)
            }
            _ => leaf(node, names, out).map(Self::Leaf),
        }
    }

    /// Compiles a mapping that is an object; with `words`, none that it joins is a word. Parameters such as `$filter` are names.
    pub(super) fn object(
        node: &Node,
        names: &BTreeSet<&str>,
        leaf: LeafOf<L>,
        words: bool,
        out: &mut Diagnostics,
    ) -> Option<Self> {
        if node.get(MERGE).is_some() {
            return merge(node.entries(), names, leaf, words, out);
        }
        let entry = |(key, value): &(Key, Node)| {
            let (name, optional) = key_of(&key.name);
            Some(Entry { key: name.to_owned(), optional, value: Self::compile(value, names, leaf, out)? })
        };
        let entries: Vec<_> = node.entries().iter().map(entry).collect();
        entries.into_iter().collect::<Option<_>>().map(Self::Map)
    }

    /// Shows every leaf.
    pub fn leaves<'a>(&'a self, show: &mut dyn FnMut(&'a L)) {
        match self {
            Self::Leaf(leaf) => show(leaf),
            Self::List(items) | Self::Merge(items) => items.iter().for_each(|item| item.leaves(show)),
            Self::Map(entries) => entries.iter().for_each(|entry| entry.value.leaves(show)),
            Self::Each(each) => each.item.leaves(show),
        }
    }
}

/// The key itself, and whether it is left out when its value is null: `key?`.
pub(super) fn key_of(written: &str) -> (&str, bool) {
    match written.strip_suffix('?') {
        Some(name) => (name, true),
        None => (written, false),
    }
}

/// Whether a mapping is a word with its value, such as `{ $html: … }`.
pub(super) fn is_word(entries: &[(Key, Node)]) -> bool {
    matches!(entries, [(key, _)] if key.name.starts_with('$'))
}

/// What is left of a list's mapping for its entries.
pub(super) fn item_of(node: &Node) -> Node {
    let own = |key: &Key| [EACH, AS, WHEN].contains(&key.name.as_str());
    let fields = node.entries().iter().filter(|(key, _)| !own(key)).cloned().collect();
    Node { span: node.span.clone(), kind: Kind::Map(fields) }
}

fn each<L>(
    node: &Node,
    entries: &[(Key, Node)],
    names: &BTreeSet<&str>,
    leaf: LeafOf<L>,
    out: &mut Diagnostics,
) -> Option<Each<L>> {
    let mut words = [(EACH, None), (AS, None), (WHEN, None)];
    for (word, found) in &mut words {
        let Some((key, value)) = entries.iter().find(|(key, _)| key.name == *word) else { continue };
        *found = value.scalar_text().map(|text| Text { span: value.span.clone(), value: text });
        if found.is_none() {
            let message = format!("`{word}` is a text, not {}", value.what());
            let help = if *word == AS { "write a name, such as `$as: line`" } else { "write an expression" };
            out.push(Diagnostic::at(Code::WrongType, &key.span, message).help(help));
            return None;
        }
    }
    let [(_, list), (_, named), (_, when)] = words;
    let list = list.and_then(|text| expression(&text, names, out));
    let name = named.as_ref().map_or("item", Text::as_str);
    let Some(local) = Local::parse(name).filter(|_| !names.contains(name)) else {
        let span = named.as_ref().map_or(&node.span, |text| &text.span);
        let message = format!("`{name}` cannot be the name of an entry: it has a value already, or is no name");
        out.push(Diagnostic::at(Code::BadName, span, message).help(format!("choose another with `{AS}`")));
        return None;
    };
    let inner: BTreeSet<&str> = names.iter().copied().chain([name]).collect();
    let when = when.map(|text| expression(&text, &inner, out));
    let item = Tree::compile(&item_of(node), &inner, leaf, out);
    Some(Each { list: list?, name: local, when: when.map_or(Some(None), |it| it.map(Some))?, item: item? })
}

fn merge<L>(
    entries: &[(Key, Node)],
    names: &BTreeSet<&str>,
    leaf: LeafOf<L>,
    words: bool,
    out: &mut Diagnostics,
) -> Option<Tree<L>> {
    if let Some((key, _)) = entries.iter().find(|(key, _)| key.name != MERGE) {
        let message = format!("beside `{MERGE}` no other key stands, and `{}` does", key.name);
        let help = format!("make it a mapping in the list of `{MERGE}`");
        out.push(Diagnostic::at(Code::MisplacedKey, &key.span, message).help(help));
        return None;
    }
    let [(key, value)] = entries else { return None };
    let Kind::List(parts) = &value.kind else {
        let message = format!("`{MERGE}` is a list, not {}", value.what());
        let help = format!("write `{MERGE}: [{{ … }}, \"{{{{ settings.fields }}}}\"]`");
        out.push(Diagnostic::at(Code::WrongType, &key.span, message).help(help));
        return None;
    };
    let part = |part: &Node| {
        let joins = match &part.kind {
            Kind::Map(entries) => part.get(EACH).is_none() && !(words && is_word(entries) && part.get(MERGE).is_none()),
            Kind::Text(text) => text.trim_start().starts_with("{{"),
            Kind::Null => true,
            _ => false,
        };
        if !joins {
            let message = format!("`{MERGE}` joins mappings, and this is none");
            let help = "write a mapping, or an expression in {{ }} that gives one or null";
            out.push(Diagnostic::at(Code::WrongType, &part.span, message).help(help));
            return None;
        }
        match part.kind {
            Kind::Map(_) => Tree::object(part, names, leaf, words, out),
            _ => Tree::compile(part, names, leaf, out),
        }
    };
    let parts: Vec<_> = parts.iter().map(part).collect();
    parts.into_iter().collect::<Option<_>>().map(Tree::Merge)
}
