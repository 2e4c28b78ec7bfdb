//! The names of nodes and of their fields, a byte each: a file has tens of thousands of them, of few kinds.
//!
//! The table has all that swc gives a tree of JavaScript. What it does not have fails, so that nothing is overlooked
//! after an update of swc.

/// What a node is, or which of its parts a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name(u8);

impl Name {
    /// What a node has whose kind is not told yet.
    pub(super) const NONE: Self = Self(0);

    /// The name that is written so, where the table has it. Inlined: for a constant, it is found by the compiler.
    #[inline(always)]
    pub(super) fn find(text: &str) -> Option<Self> {
        let slot = first_slot(text.as_bytes());
        let number = SLOTS[slot];
        if number != 0 && NAMES[number as usize] == text {
            return Some(Self(number));
        }
        Self::find_after(slot, text)
    }

    fn find_after(mut slot: usize, text: &str) -> Option<Self> {
        while SLOTS[slot] != 0 {
            slot = (slot + 1) % SLOT_COUNT;
            let number = SLOTS[slot];
            if NAMES[number as usize] == text {
                return Some(Self(number));
            }
        }
        None
    }

    /// Like [`Self::find`], for constants: what the table does not have does not compile.
    const fn known(text: &str) -> Self {
        let mut number = 1;
        while !equal(NAMES[number].as_bytes(), text.as_bytes()) {
            number += 1;
        }
        Self(number as u8)
    }

    /// How it is written: ESTree's word where it fits.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        NAMES[self.0 as usize]
    }
}

/// Some of the kinds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kinds([u128; 2]);

impl Kinds {
    /// All that there are.
    pub const ALL: Self = Self([u128::MAX; 2]);

    /// These kinds only.
    #[must_use]
    pub fn of(kinds: &[Name]) -> Self {
        kinds.iter().fold(Self::default(), |all, kind| {
            let mut one = Self::default();
            one.0[usize::from(kind.0 >> 7)] = 1 << (kind.0 & 127);
            all.or(one)
        })
    }

    /// Those of both.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self([self.0[0] | other.0[0], self.0[1] | other.0[1]])
    }

    /// Whether that kind is one of them.
    #[must_use]
    pub fn has(self, kind: Name) -> bool {
        self.0[usize::from(kind.0 >> 7)] >> (kind.0 & 127) & 1 == 1
    }
}

/// Kinds of nodes that something is asked about.
pub mod kind {
    #![allow(missing_docs, reason = "each says what it is")]

    use super::Name;

    pub const ARROW: Name = Name::known("ArrowFunctionExpression");
    pub const ASSIGNED_PROPERTY: Name = Name::known("AssignmentPatternProperty");
    pub const BINARY: Name = Name::known("BinaryExpression");
    pub const BLOCK: Name = Name::known("BlockStatement");
    pub const COMPUTED: Name = Name::known("Computed");
    pub const EMPTY: Name = Name::known("EmptyStatement");
    pub const EXPRESSION_OR_SPREAD: Name = Name::known("ExprOrSpread");
    pub const EXPRESSION_STATEMENT: Name = Name::known("ExpressionStatement");
    pub const FUNCTION: Name = Name::known("Function");
    pub const FUNCTION_BODY: Name = Name::known("FunctionBody");
    pub const FUNCTION_DECLARATION: Name = Name::known("FunctionDeclaration");
    pub const FUNCTION_EXPRESSION: Name = Name::known("FunctionExpression");
    pub const IDENTIFIER: Name = Name::known("Identifier");
    pub const IF: Name = Name::known("IfStatement");
    pub const KEYED_PATTERN: Name = Name::known("KeyValuePatternProperty");
    pub const KEYED_PROPERTY: Name = Name::known("KeyValueProperty");
    pub const MEMBER: Name = Name::known("MemberExpression");
    pub const METHOD: Name = Name::known("MethodProperty");
    pub const NUMBER: Name = Name::known("NumericLiteral");
    pub const OBJECT: Name = Name::known("ObjectExpression");
    pub const OBJECT_PATTERN: Name = Name::known("ObjectPattern");
    pub const OPTIONAL_CHAINING: Name = Name::known("OptionalChainingExpression");
    pub const PARAMETER: Name = Name::known("Parameter");
    pub const PARENTHESIS: Name = Name::known("ParenthesisExpression");
    pub const PROPERTY: Name = Name::known("Property");
    pub const REGEXP: Name = Name::known("RegExpLiteral");
    pub const RETURN: Name = Name::known("ReturnStatement");
    pub const STRING: Name = Name::known("StringLiteral");
    pub const TEMPLATE: Name = Name::known("TemplateLiteral");
    pub const TEMPLATE_ELEMENT: Name = Name::known("TemplateElement");
}

/// Fields that something is asked about.
pub mod field {
    #![allow(missing_docs, reason = "each says what it is")]

    use super::Name;

    pub const ALTERNATE: Name = Name::known("alternate");
    pub const ARGUMENT: Name = Name::known("argument");
    pub const BASE: Name = Name::known("base");
    pub const BODY: Name = Name::known("body");
    pub const CONSEQUENT: Name = Name::known("consequent");
    pub const COOKED: Name = Name::known("cooked");
    pub const EXPRESSION: Name = Name::known("expression");
    pub const IDENTIFIER: Name = Name::known("identifier");
    pub const KEY: Name = Name::known("key");
    pub const LEFT: Name = Name::known("left");
    pub const OPERATOR: Name = Name::known("operator");
    pub const PAT: Name = Name::known("pat");
    pub const PATTERN: Name = Name::known("pattern");
    pub const PROPERTIES: Name = Name::known("properties");
    pub const PROPERTY: Name = Name::known("property");
    pub const QUASIS: Name = Name::known("quasis");
    pub const RAW: Name = Name::known("raw");
    pub const RIGHT: Name = Name::known("right");
    pub const SPAN: Name = Name::known("span");
    pub const STMTS: Name = Name::known("stmts");
    pub const TYPE: Name = Name::known("type");
    pub const VALUE: Name = Name::known("value");
}

/// Some three for each name, so that most are found at once.
const SLOT_COUNT: usize = 512;

/// Where each name of [`NAMES`] is found: at its first slot, or at the next that was free.
static SLOTS: [u8; SLOT_COUNT] = slots();

const fn slots() -> [u8; SLOT_COUNT] {
    let mut slots = [0; SLOT_COUNT];
    let mut number = 1;
    while number < NAMES.len() {
        let mut slot = first_slot(NAMES[number].as_bytes());
        while slots[slot] != 0 {
            slot = (slot + 1) % SLOT_COUNT;
        }
        slots[slot] = number as u8;
        number += 1;
    }
    slots
}

/// Where to begin the search for a name. The factors were picked by trial: one name in fifteen is not at its first slot.
#[inline(always)]
const fn first_slot(text: &[u8]) -> usize {
    let length = text.len();
    if length == 0 {
        return 0;
    }
    let (first, middle, last) = (text[0], text[length / 2], text[length - 1]);
    (length * 48 + first as usize * 14 + middle as usize * 51 + last as usize) % SLOT_COUNT
}

const fn equal(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// Every name, kinds first.
static NAMES: [&str; 179] = [
    "",
    "ArrayExpression",
    "ArrayPattern",
    "ArrowFunctionExpression",
    "AssignmentExpression",
    "AssignmentPattern",
    "AssignmentPatternProperty",
    "AssignmentProperty",
    "AutoAccessor",
    "AwaitExpression",
    "BigIntLiteral",
    "BinaryExpression",
    "BindingIdent",
    "BlockStatement",
    "BooleanLiteral",
    "BreakStatement",
    "CallExpression",
    "CatchClause",
    "Class",
    "ClassDeclaration",
    "ClassExpression",
    "ClassMethod",
    "ClassProperty",
    "Computed",
    "ConditionalExpression",
    "Constructor",
    "ContinueStatement",
    "DebuggerStatement",
    "Decorator",
    "DoWhileStatement",
    "EmptyStatement",
    "ExportAllDeclaration",
    "ExportDeclaration",
    "ExportDefaultDeclaration",
    "ExportDefaultExpression",
    "ExportDefaultSpecifier",
    "ExportNamedDeclaration",
    "ExportNamespaceSpecifier",
    "ExportSpecifier",
    "ExprOrSpread",
    "ExpressionStatement",
    "ForInStatement",
    "ForOfStatement",
    "ForStatement",
    "Function",
    "FunctionBody",
    "FunctionDeclaration",
    "FunctionExpression",
    "GetterProperty",
    "Identifier",
    "IfStatement",
    "Import",
    "ImportDeclaration",
    "ImportDefaultSpecifier",
    "ImportNamespaceSpecifier",
    "ImportSpecifier",
    "Invalid",
    "KeyValuePatternProperty",
    "KeyValueProperty",
    "LabeledStatement",
    "MemberExpression",
    "MetaProperty",
    "MethodProperty",
    "Module",
    "NewExpression",
    "NullLiteral",
    "NumericLiteral",
    "ObjectExpression",
    "ObjectPattern",
    "OptionalChainingExpression",
    "Parameter",
    "ParenthesisExpression",
    "PrivateMethod",
    "PrivateName",
    "PrivateProperty",
    "Property",
    "RegExpLiteral",
    "RestElement",
    "ReturnStatement",
    "Script",
    "SequenceExpression",
    "SetterProperty",
    "SpreadElement",
    "StaticBlock",
    "StringLiteral",
    "Super",
    "SuperPropExpression",
    "SwitchCase",
    "SwitchStatement",
    "TaggedTemplateExpression",
    "TemplateElement",
    "TemplateLiteral",
    "ThisExpression",
    "ThrowStatement",
    "TryStatement",
    "UnaryExpression",
    "UpdateExpression",
    "UsingDeclaration",
    "VariableDeclaration",
    "VariableDeclarator",
    "WhileStatement",
    "WithStatement",
    "YieldExpression",
    "accessibility",
    "alternate",
    "argument",
    "arguments",
    "async",
    "await",
    "base",
    "block",
    "body",
    "callee",
    "cases",
    "consequent",
    "cooked",
    "decl",
    "declaration",
    "declarations",
    "decls",
    "delegate",
    "discriminant",
    "elements",
    "exported",
    "expression",
    "expressions",
    "finalizer",
    "flags",
    "function",
    "generator",
    "handler",
    "id",
    "identifier",
    "imported",
    "init",
    "isAbstract",
    "isAwait",
    "isOptional",
    "isOverride",
    "isStatic",
    "isTypeOnly",
    "key",
    "kind",
    "label",
    "left",
    "local",
    "name",
    "obj",
    "object",
    "operator",
    "orig",
    "param",
    "params",
    "pat",
    "pattern",
    "phase",
    "prefix",
    "properties",
    "property",
    "quasis",
    "raw",
    "readonly",
    "rest",
    "right",
    "source",
    "span",
    "specifiers",
    "spread",
    "stmts",
    "superClass",
    "tag",
    "template",
    "test",
    "thisParam",
    "type",
    "typeOnly",
    "update",
    "value",
    "with",
];
