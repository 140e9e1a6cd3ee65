//! The instruction table of the optimizer's intermediate representation: every instruction, defined once.
//!
//! ```text
//! /// What it does, in one sentence.
//! name = Name { field: Role, field: Role } -> representation(KINDS) [effects];
//! ```
//!
//! Roles in lower case are operands, named after the representation they require; `values` is a list of tagged values. The other
//! roles are the Rust types of the fields. A result is at most of the kinds in the table; each value knows more precisely what it
//! is. `-> none` stands for no result.
//!
//! Enum, printer, parser, verifier and the visitors that passes use follow from the table.
//!
//! # Guards
//!
//! An instruction with a field `frame` leaves compiled code when it cannot go on, with the interpreter's registers as the
//! [frame state](super::frame_state) says. Guards on a value deliver that value, known better: whatever relies on the guard takes
//! its result as operand, and so can never move in front of it.
//!
//! # Numbers
//!
//! `f64` instructions do what the language does with numbers, to the bit. The integer instructions are exact within ±2^53 and the
//! same there; those that could leave that range, or would have to yield -0, exit.

use kiln_bytecode::Register;

use super::effects::Effects;
use super::fields::{
    Condition, ExitReason, Field, Flag, Integer, Number, PoolIndex, ShapeSet, Site, SlotIndex,
};
use super::types::{Kinds, Representation, Type};
use super::{BlockCall, FrameId, Value};
use crate::job::{CodeId, ConstantId, GlobalId, ShapeId};
use crate::text::{Problem, Scanner};

/// Calls the macro `$callback` with every row of the instruction table.
#[macro_export]
macro_rules! for_each_node {
    ($callback:path) => {
        $callback! {
            // ---- constants ----
            /// A number as a double.
            number = Number { number: Number } -> f64(NUMBER) [];
            /// A whole number as an integer.
            whole = Whole { number: Integer } -> i64(WHOLE) [];
            /// The outcome of a comparison.
            truth = Truth { holds: Flag } -> bool(TRUTH) [];
            /// Null.
            null = Null { } -> tagged(NULL) [];
            /// The mark of a variable without a value.
            unassigned = Unassigned { } -> tagged(UNASSIGNED) [];
            /// A heap object or other value that the compile job names.
            constant = Constant { constant: ConstantId } -> tagged(ANY) [];
            /// A string of a code block's constants.
            pool_constant = PoolConstant { code: CodeId, index: PoolIndex } -> tagged(STRING) [];

            // ---- entry and window ----
            /// What the caller passed in this register of the window. Stands in the entry block.
            argument = Argument { register: Register } -> tagged(ANY) [pinned];
            /// Reads the register from the window in memory, numbered from the outermost frame's: in the entry block of code entered
            /// in mid-loop, and behind a `runtime` instruction that wrote it.
            load_register = LoadRegister { register: Register } -> tagged(ANY) [reads_window];
            /// Writes the register of the window in memory.
            store_register = StoreRegister { register: Register, value: tagged } -> none [writes_window];

            // ---- arithmetic on doubles ----
            /// `lhs + rhs`.
            add_f64 = AddF64 { lhs: f64, rhs: f64 } -> f64(NUMBER) [];
            /// `lhs - rhs`.
            subtract_f64 = SubtractF64 { lhs: f64, rhs: f64 } -> f64(NUMBER) [];
            /// `lhs * rhs`.
            multiply_f64 = MultiplyF64 { lhs: f64, rhs: f64 } -> f64(NUMBER) [];
            /// `lhs / rhs`.
            divide_f64 = DivideF64 { lhs: f64, rhs: f64 } -> f64(NUMBER) [];
            /// The remainder of a division that rounds towards zero, with the sign of `lhs` (C's `fmod`).
            remainder_f64 = RemainderF64 { lhs: f64, rhs: f64 } -> f64(NUMBER) [];
            /// `lhs` to the power of `rhs`; the square is one multiplication.
            power_f64 = PowerF64 { lhs: f64, rhs: f64 } -> f64(NUMBER) [];
            /// The greatest whole number that is not above `value`.
            floor_f64 = FloorF64 { value: f64 } -> f64(NUMBER) [];
            /// The square root.
            square_root_f64 = SquareRootF64 { value: f64 } -> f64(NUMBER) [];
            /// The magnitude.
            absolute_f64 = AbsoluteF64 { value: f64 } -> f64(NUMBER) [];
            /// The fuzzy product: `lhs * rhs`, its magnitude cut to at most 1.
            and_f64 = AndF64 { lhs: f64, rhs: f64 } -> f64(NUMBER) [];
            /// The fuzzy sum: `lhs + rhs - lhs * rhs`, its magnitude cut to at most 1.
            or_f64 = OrF64 { lhs: f64, rhs: f64 } -> f64(NUMBER) [];
            /// The fuzzy complement: 1 less the magnitude of `value` cut to at most 1.
            not_f64 = NotF64 { value: f64 } -> f64(NUMBER) [];
            /// Whether an `or` with this left operand is decided: the magnitude is at least 1, or it is NaN.
            is_certain_f64 = IsCertainF64 { value: f64 } -> bool(TRUTH) [];

            // ---- comparisons and logic ----
            /// Compares doubles; with a NaN only `not_equal` holds.
            compare_f64 = CompareF64 { condition: Condition, lhs: f64, rhs: f64 } -> bool(TRUTH) [];
            /// Compares integers.
            compare_i64 = CompareI64 { condition: Condition, lhs: i64, rhs: i64 } -> bool(TRUTH) [];
            /// Compares integers.
            compare_i32 = CompareI32 { condition: Condition, lhs: i32, rhs: i32 } -> bool(TRUTH) [];
            /// Whether two words are the same, bit by bit.
            is_identical = IsIdentical { lhs: tagged, rhs: tagged } -> bool(TRUTH) [];
            /// Whether the value is of one of the kinds.
            is_kind = IsKind { value: tagged, kinds: Kinds } -> bool(TRUTH) [];
            /// Whether the value is a map of one of the shapes.
            is_shape = IsShape { value: tagged, shapes: ShapeSet } -> bool(TRUTH) [reads_shapes];
            /// Logical and.
            and_bool = AndBool { lhs: bool, rhs: bool } -> bool(TRUTH) [];
            /// Logical or.
            or_bool = OrBool { lhs: bool, rhs: bool } -> bool(TRUTH) [];
            /// Logical not.
            not_bool = NotBool { value: bool } -> bool(TRUTH) [];

            // ---- arithmetic on integers ----
            /// `lhs + rhs`, known to stay within ±2^53.
            add_i64 = AddI64 { lhs: i64, rhs: i64 } -> i64(WHOLE) [];
            /// `lhs - rhs`, known to stay within ±2^53.
            subtract_i64 = SubtractI64 { lhs: i64, rhs: i64 } -> i64(WHOLE) [];
            /// `lhs * rhs`, known to stay within ±2^53 and not to be -0.
            multiply_i64 = MultiplyI64 { lhs: i64, rhs: i64 } -> i64(WHOLE) [];
            /// The remainder; `lhs` is known not to be negative, `rhs` to be positive.
            remainder_i64 = RemainderI64 { lhs: i64, rhs: i64 } -> i64(WHOLE) [];
            /// `lhs + rhs`; exits unless within ±2^53.
            add_i64_checked = AddI64Checked { lhs: i64, rhs: i64, frame: FrameId } -> i64(WHOLE) [exits];
            /// `lhs - rhs`; exits unless within ±2^53.
            subtract_i64_checked = SubtractI64Checked { lhs: i64, rhs: i64, frame: FrameId } -> i64(WHOLE) [exits];
            /// `lhs * rhs`; exits unless within ±2^53, and if the result is -0.
            multiply_i64_checked = MultiplyI64Checked { lhs: i64, rhs: i64, frame: FrameId } -> i64(WHOLE) [exits];
            /// The remainder; exits unless `lhs` is not negative and `rhs` positive.
            remainder_i64_checked = RemainderI64Checked { lhs: i64, rhs: i64, frame: FrameId } -> i64(WHOLE) [exits];
            /// `lhs + rhs`; exits if it does not fit 32 bits.
            add_i32_checked = AddI32Checked { lhs: i32, rhs: i32, frame: FrameId } -> i32(WHOLE) [exits];
            /// `lhs - rhs`; exits if it does not fit 32 bits.
            subtract_i32_checked = SubtractI32Checked { lhs: i32, rhs: i32, frame: FrameId } -> i32(WHOLE) [exits];
            /// `lhs * rhs`; exits if it does not fit 32 bits, and if it is -0.
            multiply_i32_checked = MultiplyI32Checked { lhs: i32, rhs: i32, frame: FrameId } -> i32(WHOLE) [exits];

            // ---- changes of representation ----
            /// The double as a tagged word: the same bits.
            box_f64 = BoxF64 { value: f64 } -> tagged(NUMBER) [];
            /// The number in a tagged word that is known to hold one: the same bits.
            unbox_f64 = UnboxF64 { value: tagged } -> f64(NUMBER) [];
            /// 0 or 1 as a double.
            truth_to_f64 = TruthToF64 { value: bool } -> f64(TRUTH) [];
            /// The integer as a double, exactly.
            i64_to_f64 = I64ToF64 { value: i64 } -> f64(WHOLE) [];
            /// The integer as a double, exactly.
            i32_to_f64 = I32ToF64 { value: i32 } -> f64(WHOLE) [];
            /// The integer with more bits.
            i32_to_i64 = I32ToI64 { value: i32 } -> i64(WHOLE) [];
            /// The whole number in a double; exits unless it is within ±2^53 and not -0.
            f64_to_i64 = F64ToI64 { value: f64, frame: FrameId } -> i64(WHOLE) [exits];
            /// The whole number in a double; exits unless it fits 32 bits and is not -0.
            f64_to_i32 = F64ToI32 { value: f64, frame: FrameId } -> i32(WHOLE) [exits];
            /// The whole number that a double is as an index; exits unless it fits 32 bits. -0 counts as 0.
            f64_to_index = F64ToIndex { value: f64, frame: FrameId } -> i64(WHOLE) [exits];

            // ---- guards ----
            /// Exits unless the value is a number, and delivers it unboxed.
            guard_number = GuardNumber { value: tagged, frame: FrameId } -> f64(NUMBER) [exits];
            /// Exits unless the value is of one of the kinds.
            guard_kind = GuardKind { value: tagged, kinds: Kinds, frame: FrameId } -> tagged(ANY) [exits];
            /// Exits unless the value is a map of one of the shapes.
            guard_shape = GuardShape { map: tagged, shapes: ShapeSet, frame: FrameId } -> tagged(MAP) [exits reads_shapes];
            /// The map, whose shape has been tested on the way here. Makes no machine code.
            assume_shape = AssumeShape { map: tagged, shapes: ShapeSet } -> tagged(MAP) [pinned];
            /// Exits unless the value is a function with this code.
            guard_code = GuardCode { function: tagged, code: CodeId, frame: FrameId } -> tagged(FUNCTION) [exits];
            /// Exits unless the value is this very constant.
            guard_constant = GuardConstant { value: tagged, constant: ConstantId, frame: FrameId } -> tagged(ANY) [exits];
            /// Exits unless the condition holds.
            guard_true = GuardTrue { condition: bool, frame: FrameId } -> none [exits];
            /// Exits if the condition holds.
            guard_false = GuardFalse { condition: bool, frame: FrameId } -> none [exits];
            /// Exits unless no prototype has changed since the compile job was made.
            guard_epoch = GuardEpoch { frame: FrameId } -> none [exits reads_validity];
            /// Exits if an assumption of this code has been broken. Stands behind what could break one.
            guard_valid = GuardValid { frame: FrameId } -> none [exits reads_validity];
            /// Exits unless `0 <= index < length`, and delivers the index.
            check_bounds = CheckBounds { index: i64, length: i64, frame: FrameId } -> i64(WHOLE) [exits];

            // ---- lists ----
            /// The number of elements.
            list_length = ListLength { list: tagged } -> i64(WHOLE) [reads_list_headers];
            /// The address of the first element.
            list_elements = ListElements { list: tagged } -> pointer(NONE) [reads_list_headers];
            /// The element at an index that has been checked.
            load_element = LoadElement { elements: pointer, index: i64 } -> tagged(ANY) [reads_elements];
            /// Exits unless elements of the list can be stored in place.
            guard_writable = GuardWritable { list: tagged, frame: FrameId } -> tagged(LIST) [exits reads_list_headers];
            /// Replaces the element at an index that has been checked, of a list that is writable. Includes the write barrier.
            store_element = StoreElement { list: tagged, elements: pointer, index: i64, value: tagged } -> none [writes_elements];

            /// Appends an element.
            push_element = PushElement { list: tagged, value: tagged, frame: FrameId } -> none [allocates throws writes_elements writes_list_headers];
            /// Removes the last element and delivers it; null if there is none.
            pop_element = PopElement { list: tagged } -> tagged(ANY) [reads_elements reads_list_headers writes_elements writes_list_headers];
            /// Removes the first element and delivers it; null if there is none.
            pull_element = PullElement { list: tagged } -> tagged(ANY) [reads_elements reads_list_headers writes_elements writes_list_headers];

            // ---- ranges ----
            /// A range of so many elements, at least one. Where only frame states name it, exits make it.
            new_range = NewRange { first: f64, step: f64, count: i64 } -> tagged(RANGE) [allocates];
            /// The number of elements.
            range_count = RangeCount { range: tagged } -> i64(WHOLE) [];
            /// The first element.
            range_first = RangeFirst { range: tagged } -> f64(NUMBER) [];
            /// The distance between elements.
            range_step = RangeStep { range: tagged } -> f64(NUMBER) [];

            /// A new, empty list with room for so many elements.
            new_list = NewList { capacity: Integer, frame: FrameId } -> tagged(LIST) [allocates throws];

            // ---- maps ----
            /// A new, empty map of this shape, with room for so many slots inside.
            new_map = NewMap { shape: ShapeId, room: Integer, frame: FrameId } -> tagged(MAP) [allocates throws];
            /// A new map of this shape, with room for so many slots inside, the first of which holds the prototype.
            new_instance = NewInstance { prototype: tagged, shape: ShapeId, room: Integer, frame: FrameId } -> tagged(MAP) [allocates throws];
            /// What a slot of a map holds whose shape is known to have the slot.
            load_slot = LoadSlot { map: tagged, slot: SlotIndex } -> tagged(ANY) [reads_slots];
            /// Replaces what a slot holds. Includes the write barrier.
            store_slot = StoreSlot { map: tagged, slot: SlotIndex, value: tagged } -> none [writes_slots];
            /// Gives the map a further slot and the shape that has it.
            add_slot = AddSlot { map: tagged, slot: SlotIndex, value: tagged, shape: ShapeId, frame: FrameId } -> none [allocates throws writes_slots writes_shapes];

            // ---- entries of maps by key ----
            /// The element of a map for a key, its own or an inherited one; exits if there is none. The key is a number or string.
            find_element = FindElement { map: tagged, key: tagged, frame: FrameId } -> tagged(ANY) [exits allocates reads_slots reads_shapes reads_other];
            /// Gives a map an entry, or an entry another value. The key is a number or string.
            store_key = StoreKey { map: tagged, key: tagged, value: tagged, frame: FrameId } -> none [exits allocates throws writes_slots writes_shapes writes_validity writes_other];
            /// Whether a map has a key of its own, which is a number or string.
            has_key = HasKey { map: tagged, key: tagged, frame: FrameId } -> bool(TRUTH) [exits allocates reads_slots reads_shapes reads_other];
            /// Exits unless the value is a dictionary in which the name, an interned string, is looked up among the members of all maps.
            guard_dictionary = GuardDictionary { map: tagged, name: tagged, frame: FrameId } -> tagged(MAP) [exits reads_slots reads_shapes reads_other];

            // ---- strings ----
            /// The number of characters.
            string_length = StringLength { string: tagged } -> i64(WHOLE) [];
            /// The character at an index, negative ones from the end, as a string; exits if there is none.
            character_at = CharacterAt { string: tagged, index: i64, frame: FrameId } -> tagged(STRING) [exits allocates];
            /// The code point of the first character; exits if there is none.
            character_code = CharacterCode { string: tagged, frame: FrameId } -> i64(WHOLE) [exits allocates];
            /// The string of the character with this code point; exits if there is none.
            character_of = CharacterOf { code: i64, frame: FrameId } -> tagged(STRING) [exits allocates];
            /// Whether two strings have the same contents.
            equal_strings = EqualStrings { lhs: tagged, rhs: tagged, frame: FrameId } -> bool(TRUTH) [exits allocates];
            /// The order of two strings: -1, 0 or 1.
            compare_strings = CompareStrings { lhs: tagged, rhs: tagged, frame: FrameId } -> i64(WHOLE) [exits allocates];
            /// `lhs + rhs` of strings, or of strings and numbers.
            concatenate = Concatenate { lhs: tagged, rhs: tagged, frame: FrameId } -> tagged(ANY) [exits allocates];

            // ---- global variables ----
            /// What the variable's cell holds, perhaps the mark of no value.
            load_global = LoadGlobal { global: GlobalId } -> tagged(ANY) [reads_globals];
            /// Replaces the value of a variable that has one.
            store_global = StoreGlobal { global: GlobalId, value: tagged } -> none [writes_globals];

            /// A new function with this code, that sees the variables and the `self` of its creator.
            new_closure = NewClosure { code: CodeId, variables: tagged, receiver: tagged, frame: FrameId } -> tagged(FUNCTION) [allocates throws];
            /// The variables of the function's creator: a map, or null.
            function_outer = FunctionOuter { function: tagged } -> tagged(ANY) [];

            // ---- the interpreter's forms ----
            /// Does a bytecode instruction as the interpreter does, and delivers what it wrote to its destination. The inputs are the registers
            /// that the instruction reads, in the order of [`crate::ir::runtime_inputs`].
            runtime_value = RuntimeValue { site: Site, inputs: values, frame: FrameId } -> tagged(ANY) [runtime];
            /// Does a bytecode instruction as the interpreter does.
            runtime_effect = RuntimeEffect { site: Site, inputs: values, frame: FrameId } -> none [runtime];
            /// Does a bytecode instruction that branches as the interpreter does, and tells whether it would jump. What it has written is
            /// then read with `load_register`.
            runtime_test = RuntimeTest { site: Site, inputs: values, frame: FrameId } -> bool(TRUTH) [runtime];
            /// Calls a function with known code: the values go to the slots callee, self, super and parameters of the window that the
            /// call instruction at `site` names, all parameters included.
            call_known = CallKnown { code: CodeId, site: Site, inputs: values, frame: FrameId } -> tagged(ANY) [calls];

            // ---- control ----
            /// Where a loop's pass begins, with the interpreter's registers there: guards that move out of the loop take its frame state.
            /// Makes no machine code.
            checkpoint = Checkpoint { frame: FrameId } -> none [pinned];
            /// Exits if an interrupt is pending. What answers it runs behind the exit: nothing that this code relies on changes here.
            poll = Poll { frame: FrameId } -> none [exits pinned];
            /// Continues at a block.
            jump = Jump { target: BlockCall } -> none [terminates];
            /// Continues at one of two blocks.
            branch = Branch { condition: bool, holds: BlockCall, fails: BlockCall } -> none [terminates];
            /// Ends the call.
            return_value = Return { value: tagged } -> none [terminates];
            /// Leaves compiled code for the interpreter.
            exit = Exit { reason: ExitReason, frame: FrameId } -> none [terminates exits];
            /// Is never reached: the instruction in front ends the program.
            unreachable = Unreachable { } -> none [terminates];
        }
    };
}

/// What a field is to its instruction, as far as rules about operands go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldRole {
    /// An operand in this representation.
    Operand(Representation),
    /// A list of tagged operands.
    Operands,
    /// A frame state.
    Frame,
    /// A successor with its arguments.
    Target,
    /// Something that is no value of the program.
    Attribute,
}

/// A row of the instruction table.
#[derive(Clone, Copy, Debug)]
pub struct NodeInfo {
    /// The name in listings.
    pub name: &'static str,
    /// The fields in the order of the table.
    pub fields: &'static [(&'static str, FieldRole)],
    /// The widest type of the result, if there is one.
    pub result: Option<Type>,
    /// What it may do; for `runtime` instructions the bytecode says more.
    pub effects: Effects,
    /// One line of documentation.
    pub documentation: &'static str,
}

macro_rules! field_role {
    (tagged) => {
        FieldRole::Operand(Representation::Tagged)
    };
    (f64) => {
        FieldRole::Operand(Representation::F64)
    };
    (i64) => {
        FieldRole::Operand(Representation::I64)
    };
    (i32) => {
        FieldRole::Operand(Representation::I32)
    };
    (bool) => {
        FieldRole::Operand(Representation::Bool)
    };
    (pointer) => {
        FieldRole::Operand(Representation::Pointer)
    };
    (values) => {
        FieldRole::Operands
    };
    (FrameId) => {
        FieldRole::Frame
    };
    (BlockCall) => {
        FieldRole::Target
    };
    ($attribute:ident) => {
        FieldRole::Attribute
    };
}

macro_rules! field_type {
    (tagged) => {
        Value
    };
    (f64) => {
        Value
    };
    (i64) => {
        Value
    };
    (i32) => {
        Value
    };
    (bool) => {
        Value
    };
    (pointer) => {
        Value
    };
    (values) => {
        Vec<Value>
    };
    ($attribute:ident) => {
        $attribute
    };
}

macro_rules! result_rule {
    (none) => {
        None
    };
    (tagged $kinds:ident) => {
        Some(Type {
            representation: Representation::Tagged,
            kinds: Kinds::$kinds,
        })
    };
    (f64 $kinds:ident) => {
        Some(Type {
            representation: Representation::F64,
            kinds: Kinds::$kinds,
        })
    };
    (i64 $kinds:ident) => {
        Some(Type {
            representation: Representation::I64,
            kinds: Kinds::$kinds,
        })
    };
    (i32 $kinds:ident) => {
        Some(Type {
            representation: Representation::I32,
            kinds: Kinds::$kinds,
        })
    };
    (bool $kinds:ident) => {
        Some(Type {
            representation: Representation::Bool,
            kinds: Kinds::$kinds,
        })
    };
    (pointer $kinds:ident) => {
        Some(Type {
            representation: Representation::Pointer,
            kinds: Kinds::$kinds,
        })
    };
}

macro_rules! define_nodes {
    ($($(#[doc = $doc:literal])+ $snake:ident = $camel:ident { $($field:ident: $role:ident),* } -> $result:ident $(($kinds:ident))? [$($effect:ident)*];)*) => {
        /// An instruction: one variant for each row of the instruction table.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs)] // The fields are described by the row.
        pub enum Node {
            $($(#[doc = $doc])+ $camel { $($field: field_type!($role)),* },)*
        }

        impl Node {
            /// The table.
            pub const TABLE: &'static [NodeInfo] = &[$(NodeInfo {
                name: stringify!($snake),
                fields: &[$((stringify!($field), field_role!($role))),*],
                result: result_rule!($result $($kinds)?),
                effects: Effects::NONE$(.union(Effects::$effect))*,
                documentation: concat!($($doc),+),
            }),*];

            /// The row of the table.
            pub fn info(&self) -> &'static NodeInfo {
                #[allow(non_camel_case_types)]
                enum Row { $($snake),* }
                match self {
                    $(Node::$camel { .. } => &Node::TABLE[Row::$snake as usize],)*
                }
            }

            /// Calls `visit` with each field.
            pub fn for_each_field(&self, mut visit: impl FnMut(&dyn Field)) {
                match self {
                    $(Node::$camel { $($field),* } => { $(visit($field);)* let _ = &mut visit; })*
                }
            }

            /// Calls `visit` with each field, to change it.
            pub fn for_each_field_mut(&mut self, mut visit: impl FnMut(&mut dyn Field)) {
                match self {
                    $(Node::$camel { $($field),* } => { $(visit($field);)* let _ = &mut visit; })*
                }
            }

            /// Reads the fields of the instruction with this name.
            pub(crate) fn parse(name: &str, text: &mut Scanner<'_>) -> Result<Node, Problem> {
                match name {
                    $(stringify!($snake) => {
                        let mut separator = "";
                        let _ = &mut separator;
                        Ok(Node::$camel { $($field: parse_field(&mut separator, text)?),* })
                    })*
                    _ => Err(Problem::Unknown(name.to_owned())),
                }
            }
        }
    };
}
for_each_node!(define_nodes);

/// Reads a field behind the comma that separates it from the one before.
fn parse_field<T: Field>(
    separator: &mut &'static str,
    text: &mut Scanner<'_>,
) -> Result<T, Problem> {
    text.require(std::mem::replace(separator, ","))?;
    T::parse(text)
}

impl Node {
    /// What it may do.
    pub fn effects(&self) -> Effects {
        match self {
            Node::RuntimeValue { site, .. }
            | Node::RuntimeEffect { site, .. }
            | Node::RuntimeTest { site, .. } => Effects::of_runtime(site.op.info().effects),
            _ => self.info().effects,
        }
    }

    /// Calls `visit` with each operand, arguments of successors included.
    pub fn for_each_operand(&self, mut visit: impl FnMut(Value)) {
        self.for_each_field(|field| field.operands(&mut visit));
    }

    /// Calls `visit` with each operand, arguments of successors included, to change it.
    pub fn for_each_operand_mut(&mut self, mut visit: impl FnMut(&mut Value)) {
        self.for_each_field_mut(|field| field.operands_mut(&mut visit));
    }

    /// Its operands in order, arguments of successors included.
    pub fn operands(&self) -> Vec<Value> {
        let mut operands = Vec::new();
        self.for_each_operand(|value| operands.push(value));
        operands
    }

    /// The frame state, at instructions that can leave compiled code or run other code.
    pub fn frame(&self) -> Option<FrameId> {
        let mut found = None;
        self.for_each_field(|field| found = found.or(field.frame()));
        found
    }

    /// Gives it another frame state, if it has one.
    pub fn set_frame(&mut self, frame: FrameId) {
        self.for_each_field_mut(|field| field.set_frame(frame));
    }

    /// Calls `visit` with each successor.
    pub fn for_each_target(&self, mut visit: impl FnMut(&BlockCall)) {
        self.for_each_field(|field| {
            if let Some(target) = field.target() {
                visit(target);
            }
        });
    }

    /// Calls `visit` with each successor, to change it.
    pub fn for_each_target_mut(&mut self, mut visit: impl FnMut(&mut BlockCall)) {
        self.for_each_field_mut(|field| {
            if let Some(target) = field.target_mut() {
                visit(target);
            }
        });
    }

    /// Whether it ends its block.
    pub fn is_terminator(&self) -> bool {
        self.info().effects.contains(Effects::terminates)
    }

    /// Whether it only checks something or converts a value and leaves compiled code if it cannot: one that an equal one dominates is
    /// superfluous, as long as what both read has not changed between them.
    pub fn is_guard(&self) -> bool {
        let effects = self.effects();
        effects.contains(Effects::exits)
            && !effects.contains(Effects::throws)
            && !effects.contains(Effects::pinned)
            && !effects.contains(Effects::terminates)
    }
}
