//! What things are called in reports.

use kiln_bytecode::{CodeBlock, Constant, Op};
use kiln_vm::heap::Kind;
use kiln_vm::profile::{Function, Profiler, Signature};

/// A function's name.
pub(super) fn function(function: &Function) -> String {
    match function {
        Function::Script(block) => of_block(block),
        Function::Intrinsic(intrinsic) if intrinsic.name.is_empty() => "(built-in)".into(),
        Function::Intrinsic(intrinsic) => intrinsic.name.into(),
    }
}

/// The name of a function written in the language.
pub(crate) fn of_block(block: &CodeBlock) -> String {
    if block.is_top_level {
        return "(top level)".into();
    }
    match &block.origin.module {
        _ if !block.name.is_empty() => block.name.to_string(),
        Some(module) if block.line <= 1 => format!("(module {module})"),
        _ => "(function)".into(),
    }
}

/// A function's name and where it stands.
pub(super) fn place(of: &Function) -> String {
    let name = function(of);
    match of {
        Function::Script(block) => {
            format!("{name} {}:{}", short_file(&block.origin.file), block.line)
        }
        Function::Intrinsic(_) => name,
    }
}

/// A path without its folders.
pub(super) fn short_file(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// The variable that lives in a register, unless it is a hidden one.
pub(crate) fn variable(block: &CodeBlock, register: u16) -> Option<&str> {
    let local = block
        .variables
        .iter()
        .find(|variable| variable.register.0 == register)
        .map(|variable| &*variable.name);
    let global = || {
        let entry = block
            .global_registers
            .iter()
            .find(|entry| entry.register.0 == register)?;
        let name = block.globals.get(entry.global as usize)?;
        match block.constants.get(*name as usize) {
            Some(Constant::String(name)) => Some(&**name),
            _ => None,
        }
    };
    local.or_else(global).filter(|name| !name.starts_with("__"))
}

/// The kinds of an operation's operands, with the operation between them.
pub(super) fn signature(op: Op, signature: &Signature, profiler: &Profiler) -> String {
    let mut operands: Vec<String> = signature
        .operands()
        .map(|kind| kind.name().to_owned())
        .collect();
    if let (Some(keys), Some(object)) = (profiler.shape(signature.shape), operands.first_mut()) {
        *object = format!("map{{{}}}", keys.join(", "));
    }
    let target = signature
        .target
        .known()
        .map(|target| function(&profiler.functions()[target.index()].function));
    if let Some(target) = target {
        return match op {
            Op::CallMember | Op::CallSuper | Op::CallIndex if !operands.is_empty() => {
                let object = operands.remove(0);
                format!("{object}.{target}({})", operands.join(", "))
            }
            Op::GetMember => format!("{}.{target}", operands.join(", ")),
            Op::Call => format!("{target}({})", operands.join(", ")),
            _ => target,
        };
    }
    match (symbol(op), operands.as_slice()) {
        (Some(symbol), [operand]) => format!("{operand} {symbol} constant"),
        (Some(symbol), [lhs, rhs]) => format!("{lhs} {symbol} {rhs}"),
        (None, [object, index]) if matches!(op, Op::GetIndex | Op::SetIndex) => {
            format!("{object}[{index}]")
        }
        (None, [object, index, value]) if op == Op::SetIndex => {
            format!("{object}[{index}] = {value}")
        }
        (_, []) => "(nothing)".into(),
        _ => operands.join(", "),
    }
}

/// The sign between the operands.
fn symbol(op: Op) -> Option<&'static str> {
    let name = op.info().name;
    let name = name.strip_suffix("_constant").unwrap_or(name);
    // A jump unless something is true is about the same operation.
    let decides = |prefix| name.strip_prefix(prefix);
    let name = match decides("jump_if_").or_else(|| decides("loop_if_")) {
        Some(condition) => condition.strip_prefix("not_").unwrap_or(condition),
        None => name,
    };
    Some(match name {
        "add" => "+",
        "subtract" => "-",
        "multiply" => "*",
        "divide" => "/",
        "modulo" => "%",
        "power" => "^",
        "and" => "and",
        "or" => "or",
        "isa" => "isa",
        "equal" => "==",
        "not_equal" | "different" => "!=",
        "less" => "<",
        "less_equal" => "<=",
        "greater" => ">",
        "greater_equal" => ">=",
        _ => return None,
    })
}

/// What an instruction belongs to.
pub(super) fn family(op: Op) -> &'static str {
    match op {
        Op::Nop | Op::Wide | Op::LoadConstant | Op::LoadUnassigned | Op::Move => "moves",
        Op::Invoke
        | Op::ReadLocal
        | Op::GetGlobal
        | Op::SetGlobal
        | Op::GetVariable
        | Op::GetOuterVariable
        | Op::SetVariable
        | Op::NewVariables
        | Op::BindSuper
        | Op::GetOuter
        | Op::GetGlobals
        | Op::GetSelf => "variables",
        Op::Call
        | Op::CallMember
        | Op::CallSuper
        | Op::CallIndex
        | Op::Return
        | Op::Throw
        | Op::NewFunction
        | Op::NewClosure => "calls",
        Op::NewList
        | Op::Append
        | Op::NewMap
        | Op::InitMember
        | Op::InitIndex
        | Op::GetIndex
        | Op::SetIndex
        | Op::Slice => "lists, maps and strings",
        Op::New | Op::Isa | Op::GetMember | Op::SetMember => "members",
        Op::MakeRange => "loops",
        _ if op.polls() => "loops",
        _ if op.info().name.starts_with("jump") => "branches",
        _ => "arithmetic and comparisons",
    }
}

/// What makes new objects at an instruction.
pub(super) fn allocation(op: Op) -> &'static str {
    match op {
        Op::NewList | Op::Append => "list",
        Op::NewMap | Op::InitMember | Op::InitIndex => "map",
        Op::New => "new",
        Op::NewFunction => "function",
        Op::NewClosure => "closure",
        Op::NewVariables | Op::SetVariable | Op::BindSuper => "variables that functions share",
        Op::MakeRange => "range of a loop",
        Op::Add | Op::AddConstant => "+",
        Op::Multiply | Op::MultiplyConstant => "*",
        Op::Slice => "slice",
        Op::SetMember => "member of a map",
        Op::SetIndex => "element",
        _ => op.info().name,
    }
}

/// The kinds of cells, indexed as the heap does.
pub(super) const KINDS: [(Kind, &str); 9] = [
    (Kind::String, "strings"),
    (Kind::Bytes, "text of strings"),
    (Kind::List, "lists"),
    (Kind::Values, "elements of lists, members of maps"),
    (Kind::Map, "maps"),
    (Kind::Dictionary, "tables of maps"),
    (Kind::Function, "functions"),
    (Kind::Range, "ranges"),
    (Kind::Handle, "host objects"),
];
