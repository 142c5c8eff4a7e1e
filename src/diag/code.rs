//! The codes of everything that can be wrong in a project's files.
//!
//! A code is stable: people allow it, search for it and look it up. Its page, `codes/NAME.md`, says what it means, why it
//! matters and how it is mended. A test holds that every code has a page and a golden file.

/// Whether a diagnostic stops `serve`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The project cannot run like this.
    Error,
    /// It can run, but hardly as meant.
    Warning,
}

impl Severity {
    /// The word for people and for `--format json`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

macro_rules! codes {
    ($($variant:ident $severity:ident $name:literal $summary:literal;)*) => {
        /// A kind of mistake, by its stable name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $summary] $variant,)* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name, such as `unknown-slot`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it means, in one line.
            #[must_use]
            pub const fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary,)* }
            }

            /// Whether it stops `serve`.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// The page that `legwork explain` prints: what, why, cure, in Markdown.
            #[must_use]
            pub const fn page(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("codes/", $name, ".md")),)* }
            }
        }
    };
}

codes! {
    // files
    Unreadable Error "unreadable" "a file or folder is missing or cannot be read";
    YamlSyntax Error "yaml-syntax" "the file is not YAML";
    UnknownKey Error "unknown-key" "a key that does not exist here";
    MissingKey Error "missing-key" "a key that has to be there is not";
    WrongType Error "wrong-type" "a value of another shape is needed here";
    BadValue Error "bad-value" "a value cannot be read as what it is for";
    BadName Error "bad-name" "a name has characters that names of this kind may not have";
    DuplicateName Error "duplicate-name" "two things have one name";
    WrittenSecret Error "written-secret" "a secret stands in the file";
    BadAllowance Warning "bad-allowance" "a comment that allows a warning cannot be followed, or says no reason";
    UnneededAllowance Warning "unneeded-allowance" "a comment allows a warning that nothing here gives";
    // expressions
    BadTemplate Error "bad-template" "a template or expression cannot be read";
    UnknownFilter Error "unknown-filter" "a filter, function or test that does not exist";
    UnknownName Error "unknown-name" "an expression uses a name that nothing gives a value";
    UnknownField Error "unknown-field" "an expression asks a model for a field that it does not have";
    ShadowedName Error "shadowed-name" "a name is given twice, so that one hides the other";
    UntrustedGuard Error "untrusted-guard" "a guard relies on what users can write";
    NobodyVerified Warning "nobody-verified" "a guard asks for a verification that nothing makes";
    ConstantCondition Warning "constant-condition" "a condition that always comes out the same";
    UnmaskedNumber Warning "unmasked-number" "a message shows a number whole that should be masked";
    UnusedInput Warning "unused-input" "an input that no step uses";
    // steps
    StepVerb Error "step-verb" "a step does not say exactly one thing to do";
    MisplacedKey Error "misplaced-key" "a key that does not belong to this step's verb";
    UnreachableStep Warning "unreachable-step" "a step that can never run";
    UnansweredWrite Warning "unanswered-write" "a payment says nothing of its own when its system is away";
    UnreachableOutcome Warning "unreachable-outcome" "steps for an outcome that a call can never have";
    UnknownConnection Error "unknown-connection" "a call to a connection that legwork.yml does not have";
    UnknownOperation Error "unknown-operation" "a call to an operation that the connector does not have";
    UnknownInput Error "unknown-input" "a call gives an input that the operation does not take";
    MissingInput Error "missing-input" "a call lacks an input that the operation needs";
    UnknownFault Error "unknown-fault" "a fault for a system of a test that does not exist";
    UnknownOutcome Error "unknown-outcome" "an outcome or a message that does not exist";
    UnknownShared Error "unknown-shared" "`use` names a file that actions/shared does not have";
    SharedCycle Error "shared-cycle" "shared steps that use themselves, if only by way of others";
    UnknownFormat Error "unknown-format" "a format that neither legwork nor legwork.yml has";
    BadFormat Error "bad-format" "a format of legwork.yml does not do what its examples say";
    BadEvent Error "bad-event" "an event that Rasa would refuse";
    FollowsItself Error "follows-itself" "an action asks Rasa to run itself again";
    TemplateInPayload Warning "template-in-payload" "a template inside a raw button payload";
    ValidatorEnd Error "validator-end" "a slot's steps can end without accept or reject";
    // domain
    UnknownSlot Error "unknown-slot" "a slot that the domain does not have";
    SlotType Error "slot-type" "a value of a type that the slot cannot hold";
    SlotValue Error "slot-value" "a value that the categorical slot does not list";
    UnknownResponse Error "unknown-response" "an utter_… response that the domain does not have";
    UnknownIntent Warning "unknown-intent" "a button, event or setting with an intent that the domain does not have";
    UnknownForm Error "unknown-form" "a form that the domain does not have";
    UnvalidatedSlot Warning "unvalidated-slot" "a form takes whatever the user types for a slot, and nothing looks at it";
    UndeclaredAction Warning "undeclared-action" "an action that the domain does not list, so Rasa never calls it";
    UnimplementedAction Warning "unimplemented-action" "the domain lists an action that has no file";
    // connections
    UnknownConnector Error "unknown-connector" "a connection to a connector that neither legwork nor the project has";
    UnknownSetting Error "unknown-setting" "a connection sets what its connector does not know";
    MissingSetting Error "missing-setting" "a connection lacks a setting that its connector needs";
    UnknownModel Error "unknown-model" "an operation answers with a model that does not exist";
    BadSql Error "bad-sql" "a statement of an operation cannot be prepared safely";
    UnreachableDatabase Warning "unreachable-database" "a database server cannot be reached, so its statements were not looked at";
    BadRequest Error "bad-request" "a request of an operation cannot be sent as it is written";
    UnsafeText Error "unsafe-text" "a value would go unencoded into a text that the vendor reads as a language";
    ApiEnding Warning "api-ending" "the vendor ends the API version that a connector speaks";
    DeprecatedOperation Warning "deprecated-operation" "a call to an operation that another one takes the place of";
    UnknownCaller Error "unknown-caller" "the way back to a caller that `server.auth` does not have";
    OpenServer Warning "open-server" "the server listens beyond this machine and asks nobody who they are";
}

impl Code {
    /// The code of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_every_page_says_what_why_and_cure() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            let page = code.page();
            assert!(page.starts_with(&format!("# {}\n", code.name())), "{}: first line", code.name());
            assert!(page.contains("## Cure"), "{}: no cure", code.name());
        }
    }
}
