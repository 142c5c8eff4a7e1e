//! A value of a file whose leaves may be templates.

use crate::template::{self, Failed, Scope, Template};

/// A value: constant, template, or a list or mapping of values.
#[derive(Debug)]
pub enum Value {
    /// A leaf. Numbers, true, false and null are constants of their type; texts are templates.
    Leaf(Template),
    /// A list.
    List(Vec<Value>),
    /// A mapping, in the order written.
    Map(Vec<(String, Value)>),
    /// A constant whose absent keys are null: what actions share.
    Open(template::Value),
}

impl Value {
    /// The value in a scope.
    ///
    /// # Errors
    /// When a template in it fails.
    pub fn eval(&self, scope: &Scope) -> Result<template::Value, Failed> {
        match self {
            Self::Leaf(leaf) => leaf.eval(scope),
            Self::Open(value) => Ok(value.clone()),
            Self::List(_) | Self::Map(_) => self.json(scope).map(|value| template::from_json(&value)),
        }
    }

    /// The value in a scope, as JSON.
    ///
    /// # Errors
    /// When a template in it fails, or gives what JSON has no form for.
    pub fn json(&self, scope: &Scope) -> Result<serde_json::Value, Failed> {
        match self {
            Self::Leaf(leaf) => template::to_json(&leaf.eval(scope)?),
            Self::Open(value) => template::to_json(value),
            Self::List(items) => items.iter().map(|item| item.json(scope)).collect(),
            Self::Map(entries) => entries.iter().map(|(key, value)| Ok((key.clone(), value.json(scope)?))).collect(),
        }
    }

    /// The value, when no template in it depends on a scope.
    #[must_use]
    pub fn constant(&self) -> Option<serde_json::Value> {
        match self {
            Self::Leaf(leaf) => leaf.as_constant().and_then(|value| template::to_json(value).ok()),
            Self::Open(value) => template::to_json(value).ok(),
            Self::List(items) => items.iter().map(Self::constant).collect(),
            Self::Map(entries) => entries.iter().map(|(key, value)| Some((key.clone(), value.constant()?))).collect(),
        }
    }
}
