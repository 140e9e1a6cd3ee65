//! The instruction table: every instruction of the virtual machine, defined once.
//!
//! One row names an instruction, its operands with their roles, what its flag byte means, and its
//! effects. Encoder, decoder, disassembler, text parser, verifier, liveness and the skeletons of all
//! tiers are expansions of this table; an instruction that is not here does not exist.
//!
//! ```text
//! /// What it does, in one sentence.
//! name = Name { operand: Role, operand: Role } (flag meaning) [effects];
//! ```
//!
//! # Encoding
//!
//! An instruction is one 64-bit word: opcode (8 bits), flags (8), then three 16-bit fields `a`, `b`, `c`.
//! Operands fill the fields in the order written. The roles [`Role::Constant32`], [`Role::Global`] and
//! [`Role::Jump32`] take `b` and `c` together as one 32-bit field and may only stand second.
//! A `wide` prefix supplies the upper 16 bits of field `c` of the instruction after it, where that field is
//! a feedback or function index.
//!
//! # Frames
//!
//! A register is an index into the frame's window. Window slot 0 holds the callee, 1 `self`, 2 `super`, and
//! the parameters follow. Calls build the window of the callee above the live registers of the caller:
//! operand `window` names the register that becomes the callee's slot 0.
//!
//! # Variables that hold functions
//!
//! Reading a variable calls the function it holds. An arithmetic instruction, comparison, index or branch
//! may take a variable's register as its operand without checking: a function is no number, so it arrives in
//! the slow path, which looks the instruction up in [`crate::CodeBlock::invoke_paths`]. If it is listed there, nothing has
//! been evaluated yet that could not be evaluated again, and control goes to the listed position, where the
//! same expression stands with explicit `invoke` instructions.

use crate::code_block::FeedbackKind;

/// Calls the macro `$callback` with every row of the instruction table.
#[macro_export]
macro_rules! for_each_op {
    ($callback:path) => {
        $callback! {
            // ---- constants and moves ----
            /// Does nothing.
            nop = Nop { } (none) [];
            /// Supplies the upper 16 bits of field `c` of the next instruction.
            wide = Wide { high: Immediate } (none) [];
            /// `dst = constant`.
            load_constant = LoadConstant { dst: Out, constant: Constant32 } (none) [];
            /// `dst = unassigned`: the variable in `dst` has no value yet.
            load_unassigned = LoadUnassigned { dst: Out } (none) [];
            /// `dst = src`, whatever it holds.
            move_register = Move { dst: Out, src: In } (none) [];
            /// `dst = src`, or the result of calling it without arguments if it is a function.
            invoke = Invoke { dst: Out, src: In, feedback: Feedback } (none) [allocates calls throws writes];
            /// Sees to it that the variable in `src` can be an operand as it is: if it holds a function, or nothing, control goes to the invoke path.
            settle = Settle { src: In } (observed) [];

            // ---- variables ----
            /// Reads the local variable in `src`; if it is unassigned, looks its name up in the outer variables, the globals and the intrinsics.
            read_local = ReadLocal { dst: Out, src: In, feedback: Feedback } (read_mode) [allocates calls throws writes];
            /// Reads a global variable, or the intrinsic of that name if it is unassigned.
            get_global = GetGlobal { dst: Out, global: Global } (read_mode) [allocates calls throws writes];
            /// Assigns a global variable.
            set_global = SetGlobal { src: In, global: Global } (none) [allocates throws writes];
            /// Reads a variable by name: in the frame's variable map, then outer variables, globals, intrinsics.
            get_variable = GetVariable { dst: Out, variables: In, feedback: Feedback } (read_mode) [allocates calls throws writes];
            /// Reads a variable that is no local: the function's outer variables, then globals, then intrinsics.
            get_outer_variable = GetOuterVariable { dst: Out, unused: Unused, feedback: Feedback } (read_mode) [allocates calls throws writes];
            /// Assigns a variable in the frame's variable map.
            set_variable = SetVariable { variables: In, src: In, feedback: Feedback } (none) [allocates throws writes];
            /// `dst` = a new, empty variable map for this frame.
            new_variables = NewVariables { dst: Out } (none) [allocates throws];
            /// Stores the window's `super` into the variable map, if the call has set it.
            bind_super = BindSuper { variables: In, unused: Unused, feedback: Feedback } (none) [allocates throws writes];
            /// `dst` = the scope map `outer`: the variables of the function's creator, or the globals.
            get_outer = GetOuter { dst: Out } (none) [allocates throws];
            /// `dst` = the scope map `globals`.
            get_globals = GetGlobals { dst: Out } (none) [allocates throws];
            /// `dst` = `self`: of this call, else of the call that created the function, else null.
            get_self = GetSelf { dst: Out } (none) [];

            // ---- arithmetic and logic ----
            /// `dst = lhs + rhs`.
            add = Add { dst: Out, lhs: In, rhs: In } (observed) [allocates throws];
            /// `dst = lhs - rhs`.
            subtract = Subtract { dst: Out, lhs: In, rhs: In } (observed) [allocates throws];
            /// `dst = lhs * rhs`.
            multiply = Multiply { dst: Out, lhs: In, rhs: In } (observed) [allocates throws];
            /// `dst = lhs / rhs`.
            divide = Divide { dst: Out, lhs: In, rhs: In } (observed) [allocates throws];
            /// `dst = lhs % rhs`.
            modulo = Modulo { dst: Out, lhs: In, rhs: In } (observed) [allocates throws];
            /// `dst = lhs ^ rhs`.
            power = Power { dst: Out, lhs: In, rhs: In } (observed) [allocates throws];
            /// `dst = lhs + constant`.
            add_constant = AddConstant { dst: Out, lhs: In, constant: Constant } (observed) [allocates throws];
            /// `dst = lhs - constant`.
            subtract_constant = SubtractConstant { dst: Out, lhs: In, constant: Constant } (observed) [allocates throws];
            /// `dst = lhs * constant`.
            multiply_constant = MultiplyConstant { dst: Out, lhs: In, constant: Constant } (observed) [allocates throws];
            /// `dst = lhs / constant`.
            divide_constant = DivideConstant { dst: Out, lhs: In, constant: Constant } (observed) [allocates throws];
            /// `dst = lhs % constant`.
            modulo_constant = ModuloConstant { dst: Out, lhs: In, constant: Constant } (observed) [allocates throws];
            /// `dst = lhs ^ constant`.
            power_constant = PowerConstant { dst: Out, lhs: In, constant: Constant } (observed) [allocates throws];
            /// `dst = 0 - src`.
            negate = Negate { dst: Out, src: In } (observed) [allocates throws];
            /// `dst = not src`, fuzzy.
            not = Not { dst: Out, src: In } (observed) [];
            /// `dst` = the fuzzy product of two values.
            and = And { dst: Out, lhs: In, rhs: In } (observed) [];
            /// `dst` = the fuzzy sum of two values.
            or = Or { dst: Out, lhs: In, rhs: In } (observed) [];

            // ---- comparisons ----
            /// `dst = lhs == rhs`.
            equal = Equal { dst: Out, lhs: In, rhs: In } (observed) [allocates throws];
            /// `dst = lhs != rhs`.
            not_equal = NotEqual { dst: Out, lhs: In, rhs: In } (observed) [allocates throws];
            /// `dst = lhs < rhs`.
            less = Less { dst: Out, lhs: In, rhs: In } (observed) [allocates throws];
            /// `dst = lhs <= rhs`.
            less_equal = LessEqual { dst: Out, lhs: In, rhs: In } (observed) [allocates throws];
            /// `dst = lhs > rhs`.
            greater = Greater { dst: Out, lhs: In, rhs: In } (observed) [allocates throws];
            /// `dst = lhs >= rhs`.
            greater_equal = GreaterEqual { dst: Out, lhs: In, rhs: In } (observed) [allocates throws];
            /// `dst = lhs isa rhs`.
            isa = Isa { dst: Out, lhs: In, rhs: In } (observed) [throws];
            /// `dst = new prototype`: an empty map whose `__isa` is `prototype`.
            new = New { dst: Out, prototype: In } (none) [allocates throws writes];

            // ---- control ----
            /// Continues at the target.
            jump = Jump { unused: Unused, target: Jump32 } (none) [];
            /// Continues at the head of a loop, counts the pass, and polls for interrupts.
            loop_back = LoopBack { counter: Loop, target: Jump32 } (none) [allocates throws];
            /// Jumps if `condition` is true.
            jump_if_true = JumpIfTrue { condition: In, target: Jump32 } (observed) [];
            /// Jumps if `condition` is false.
            jump_if_false = JumpIfFalse { condition: In, target: Jump32 } (observed) [];
            /// Jumps if `condition` is a number whose whole part is not zero: what ends an `or` early.
            jump_if_certain = JumpIfCertain { condition: In, target: Jump32 } (observed) [];
            /// Jumps if `lhs == rhs` is true.
            jump_if_equal = JumpIfEqual { lhs: In, rhs: In, target: Jump } (observed) [allocates throws];
            /// Jumps unless `lhs == rhs` is true.
            jump_if_not_equal = JumpIfNotEqual { lhs: In, rhs: In, target: Jump } (observed) [allocates throws];
            /// Jumps if `lhs != rhs` is true.
            jump_if_different = JumpIfDifferent { lhs: In, rhs: In, target: Jump } (observed) [allocates throws];
            /// Jumps unless `lhs != rhs` is true.
            jump_if_not_different = JumpIfNotDifferent { lhs: In, rhs: In, target: Jump } (observed) [allocates throws];
            /// Jumps if `lhs < rhs` is true.
            jump_if_less = JumpIfLess { lhs: In, rhs: In, target: Jump } (observed) [allocates throws];
            /// Jumps unless `lhs < rhs` is true.
            jump_if_not_less = JumpIfNotLess { lhs: In, rhs: In, target: Jump } (observed) [allocates throws];
            /// Jumps if `lhs <= rhs` is true.
            jump_if_less_equal = JumpIfLessEqual { lhs: In, rhs: In, target: Jump } (observed) [allocates throws];
            /// Jumps unless `lhs <= rhs` is true.
            jump_if_not_less_equal = JumpIfNotLessEqual { lhs: In, rhs: In, target: Jump } (observed) [allocates throws];
            /// Jumps if `lhs > rhs` is true.
            jump_if_greater = JumpIfGreater { lhs: In, rhs: In, target: Jump } (observed) [allocates throws];
            /// Jumps unless `lhs > rhs` is true.
            jump_if_not_greater = JumpIfNotGreater { lhs: In, rhs: In, target: Jump } (observed) [allocates throws];
            /// Jumps if `lhs >= rhs` is true.
            jump_if_greater_equal = JumpIfGreaterEqual { lhs: In, rhs: In, target: Jump } (observed) [allocates throws];
            /// Jumps unless `lhs >= rhs` is true.
            jump_if_not_greater_equal = JumpIfNotGreaterEqual { lhs: In, rhs: In, target: Jump } (observed) [allocates throws];
            /// Jumps if `lhs == constant` is true.
            jump_if_equal_constant = JumpIfEqualConstant { lhs: In, constant: Constant, target: Jump } (observed) [allocates throws];
            /// Jumps unless `lhs == constant` is true.
            jump_if_not_equal_constant = JumpIfNotEqualConstant { lhs: In, constant: Constant, target: Jump } (observed) [allocates throws];
            /// Jumps if `lhs != constant` is true.
            jump_if_different_constant = JumpIfDifferentConstant { lhs: In, constant: Constant, target: Jump } (observed) [allocates throws];
            /// Jumps unless `lhs != constant` is true.
            jump_if_not_different_constant = JumpIfNotDifferentConstant { lhs: In, constant: Constant, target: Jump } (observed) [allocates throws];
            /// Jumps if `lhs < constant` is true.
            jump_if_less_constant = JumpIfLessConstant { lhs: In, constant: Constant, target: Jump } (observed) [allocates throws];
            /// Jumps unless `lhs < constant` is true.
            jump_if_not_less_constant = JumpIfNotLessConstant { lhs: In, constant: Constant, target: Jump } (observed) [allocates throws];
            /// Jumps if `lhs <= constant` is true.
            jump_if_less_equal_constant = JumpIfLessEqualConstant { lhs: In, constant: Constant, target: Jump } (observed) [allocates throws];
            /// Jumps unless `lhs <= constant` is true.
            jump_if_not_less_equal_constant = JumpIfNotLessEqualConstant { lhs: In, constant: Constant, target: Jump } (observed) [allocates throws];
            /// Jumps if `lhs > constant` is true.
            jump_if_greater_constant = JumpIfGreaterConstant { lhs: In, constant: Constant, target: Jump } (observed) [allocates throws];
            /// Jumps unless `lhs > constant` is true.
            jump_if_not_greater_constant = JumpIfNotGreaterConstant { lhs: In, constant: Constant, target: Jump } (observed) [allocates throws];
            /// Jumps if `lhs >= constant` is true.
            jump_if_greater_equal_constant = JumpIfGreaterEqualConstant { lhs: In, constant: Constant, target: Jump } (observed) [allocates throws];
            /// Jumps unless `lhs >= constant` is true.
            jump_if_not_greater_equal_constant = JumpIfNotGreaterEqualConstant { lhs: In, constant: Constant, target: Jump } (observed) [allocates throws];

            // ---- containers ----
            /// `dst` = a new, empty list with room for `capacity` elements.
            new_list = NewList { dst: Out, capacity: Immediate } (none) [allocates throws];
            /// Appends `value` to the list under construction.
            append = Append { list: In, value: In } (none) [allocates throws writes];
            /// `dst` = a new, empty map with room for `capacity` entries.
            new_map = NewMap { dst: Out, capacity: Immediate } (none) [allocates throws];
            /// Enters the literal's constant key with `value` into the map under construction.
            init_member = InitMember { map: In, value: In, feedback: Feedback } (none) [allocates throws writes];
            /// Enters a computed key with `value` into the map under construction.
            init_index = InitIndex { map: In, key: In, value: In } (none) [allocates throws writes];
            /// `dst = object[index]`, without calling a function found there.
            get_index = GetIndex { dst: Out, object: In, index: In } (observed) [allocates throws];
            /// `object[index] = value`.
            set_index = SetIndex { object: In, index: In, value: In } (observed) [allocates throws writes];
            /// `dst = object.key`; with the `invoke` flag a function found there is called with `self` = object.
            get_member = GetMember { dst: Out, object: In, feedback: Feedback } (read_mode) [allocates calls throws writes];
            /// `object.key = value`.
            set_member = SetMember { object: In, value: In, feedback: Feedback } (none) [allocates throws writes];
            /// `dst = object[bounds : bounds+1]`.
            slice = Slice { dst: Out, object: In, bounds: InPair } (none) [allocates throws];

            // ---- calls ----
            /// Calls the value in window slot 0 without `self`.
            call = Call { dst: Out, window: Window, feedback: Feedback } (argument_count) [allocates calls throws writes];
            /// Looks the key up in the object in window slot 1 and calls what it finds with `self` = object.
            call_member = CallMember { dst: Out, window: Window, feedback: Feedback } (argument_count) [allocates calls throws writes];
            /// Looks the key up in the value in window slot 2 (`super`) and calls what it finds with `self` = window slot 1.
            call_super = CallSuper { dst: Out, window: Window, feedback: Feedback } (argument_count) [allocates calls throws writes];
            /// Looks `index` up in the object in window slot 1, as a statement does, and calls what it finds with `self` = object.
            call_index = CallIndex { dst: Out, window: Window, index: In } (argument_count) [allocates calls throws writes];
            /// Ends the program with the runtime error whose text is the constant.
            throw = Throw { unused: Unused, message: Constant32 } (none) [throws];
            /// Ends the call with the result `src`.
            return_value = Return { src: In } (none) [];
            /// `dst` = the function of a literal that makes no closure: the same one every time.
            new_function = NewFunction { dst: Out, unused: Unused, function: Function } (none) [allocates throws];
            /// `dst` = a new function that sees the variable map in `variables` (none if that register holds no map) and this call's `self`.
            new_closure = NewClosure { dst: Out, variables: In, function: Function } (none) [allocates throws];

            // ---- while loops ----
            /// Jumps back to the body of the loop if `lhs == rhs` is true; then counts the pass and polls for interrupts.
            loop_if_equal = LoopIfEqual { lhs: In, rhs: In, target: Jump } (loop_counter) [allocates throws];
            /// As `loop_if_equal`, with a constant on the right.
            loop_if_equal_constant = LoopIfEqualConstant { lhs: In, constant: Constant, target: Jump } (loop_counter) [allocates throws];
            /// Jumps back to the body of the loop if `lhs != rhs` is true; then counts the pass and polls for interrupts.
            loop_if_different = LoopIfDifferent { lhs: In, rhs: In, target: Jump } (loop_counter) [allocates throws];
            /// As `loop_if_different`, with a constant on the right.
            loop_if_different_constant = LoopIfDifferentConstant { lhs: In, constant: Constant, target: Jump } (loop_counter) [allocates throws];
            /// Jumps back to the body of the loop if `lhs < rhs` is true; then counts the pass and polls for interrupts.
            loop_if_less = LoopIfLess { lhs: In, rhs: In, target: Jump } (loop_counter) [allocates throws];
            /// As `loop_if_less`, with a constant on the right.
            loop_if_less_constant = LoopIfLessConstant { lhs: In, constant: Constant, target: Jump } (loop_counter) [allocates throws];
            /// Jumps back to the body of the loop if `lhs <= rhs` is true; then counts the pass and polls for interrupts.
            loop_if_less_equal = LoopIfLessEqual { lhs: In, rhs: In, target: Jump } (loop_counter) [allocates throws];
            /// As `loop_if_less_equal`, with a constant on the right.
            loop_if_less_equal_constant = LoopIfLessEqualConstant { lhs: In, constant: Constant, target: Jump } (loop_counter) [allocates throws];
            /// Jumps back to the body of the loop if `lhs > rhs` is true; then counts the pass and polls for interrupts.
            loop_if_greater = LoopIfGreater { lhs: In, rhs: In, target: Jump } (loop_counter) [allocates throws];
            /// As `loop_if_greater`, with a constant on the right.
            loop_if_greater_constant = LoopIfGreaterConstant { lhs: In, constant: Constant, target: Jump } (loop_counter) [allocates throws];
            /// Jumps back to the body of the loop if `lhs >= rhs` is true; then counts the pass and polls for interrupts.
            loop_if_greater_equal = LoopIfGreaterEqual { lhs: In, rhs: In, target: Jump } (loop_counter) [allocates throws];
            /// As `loop_if_greater_equal`, with a constant on the right.
            loop_if_greater_equal_constant = LoopIfGreaterEqualConstant { lhs: In, constant: Constant, target: Jump } (loop_counter) [allocates throws];

            // ---- for loops ----
            /// If window slot 0 holds the intrinsic `range` and its arguments are whole numbers, `dst` = that range, unmaterialized, and control continues at the target.
            make_range = MakeRange { dst: Out, window: Window, target: Jump } (argument_count) [allocates throws];
            /// Advances the loop whose sequence is in `state` and whose index in `state + 1`: stores the element in `dst` and jumps back to the body, or falls through at the end. Polls for interrupts.
            for_loop = ForLoop { dst: Out, state: InOutPair, target: Jump } (loop_counter) [allocates throws];
            /// As `for_loop`, with the index kept in the global variable whose number stands in `state + 1`.
            for_loop_global = ForLoopGlobal { dst: Out, state: InPair, target: Jump } (loop_counter) [allocates throws writes];
        }
    };
}

/// What an operand is to its instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A register that is written.
    Out,
    /// A register that is read.
    In,
    /// Two neighbouring registers that are read.
    InPair,
    /// Two neighbouring registers that are read and written.
    InOutPair,
    /// The first register of a call window: slots 0 to 2 and the arguments are read, and everything from here on may be overwritten.
    Window,
    /// A plain 16-bit number.
    Immediate,
    /// A field that must be zero.
    Unused,
    /// A 16-bit index into the constants; the constant is a number.
    Constant,
    /// A 32-bit index into the constants.
    Constant32,
    /// A 32-bit index into the code block's table of global variables.
    Global,
    /// A 16-bit index into the feedback cells (32-bit with `wide`).
    Feedback,
    /// A 16-bit index into the nested functions (32-bit with `wide`).
    Function,
    /// A 16-bit index into the loops.
    Loop,
    /// A signed 16-bit distance in instructions, relative to the next instruction.
    Jump,
    /// A signed 32-bit distance in instructions, relative to the next instruction.
    Jump32,
}

impl Role {
    /// Every role.
    pub const ALL: &'static [Role] = &[
        Role::Out,
        Role::In,
        Role::InPair,
        Role::InOutPair,
        Role::Window,
        Role::Immediate,
        Role::Unused,
        Role::Constant,
        Role::Constant32,
        Role::Global,
        Role::Feedback,
        Role::Function,
        Role::Loop,
        Role::Jump,
        Role::Jump32,
    ];

    /// Whether the operand takes the fields `b` and `c` together.
    pub const fn is_32_bit(self) -> bool {
        matches!(self, Role::Constant32 | Role::Global | Role::Jump32)
    }

    /// Whether a `wide` prefix may supply upper bits of the operand.
    pub const fn is_widened(self) -> bool {
        matches!(self, Role::Feedback | Role::Function)
    }
}

/// What the flag byte of an instruction means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(non_camel_case_types)]
pub enum FlagUse {
    /// Must be zero.
    none,
    /// A set of [`crate::ReadMode`] bits.
    read_mode,
    /// The number of arguments of a call.
    argument_count,
    /// The index of the loop, 255 standing for all beyond.
    loop_counter,
    /// Zero in a code block; in an interpreter's copy the operand kinds that were seen.
    observed,
}

/// What an instruction may do besides computing its result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effects(u8);

#[allow(non_upper_case_globals)]
impl Effects {
    /// May allocate, and so collect garbage.
    pub const allocates: Effects = Effects(1);
    /// May run script code.
    pub const calls: Effects = Effects(2);
    /// May end in a script error.
    pub const throws: Effects = Effects(4);
    /// May change a container or variable that others see.
    pub const writes: Effects = Effects(8);

    /// No effects.
    pub const fn none() -> Effects {
        Effects(0)
    }

    /// The effects of either.
    pub const fn union(self, other: Effects) -> Effects {
        Effects(self.0 | other.0)
    }

    /// Whether all effects of `other` are among these.
    pub const fn contains(self, other: Effects) -> bool {
        self.0 & other.0 == other.0
    }
}

/// One operand of an instruction: its name, its role, and the first of the fields (0 = `a`) it takes.
#[derive(Clone, Copy, Debug)]
pub struct OperandInfo {
    /// The name the table gives it.
    pub name: &'static str,
    /// What it is to the instruction.
    pub role: Role,
    /// 0, 1 or 2 for the fields `a`, `b`, `c`.
    pub field: u8,
}

/// A row of the instruction table.
#[derive(Clone, Copy, Debug)]
pub struct OpInfo {
    /// The name in listings.
    pub name: &'static str,
    /// The operands in the order of their fields.
    pub operands: &'static [OperandInfo],
    /// What the flag byte means.
    pub flags: FlagUse,
    /// What it may do besides computing its result.
    pub effects: Effects,
    /// One line of documentation.
    pub documentation: &'static str,
}

/// Gives each operand its field.
const fn place<const N: usize>(operands: [(&'static str, Role); N]) -> [OperandInfo; N] {
    let mut placed = [OperandInfo {
        name: "",
        role: Role::Unused,
        field: 0,
    }; N];
    let mut at = 0;
    while at < N {
        let (name, role) = operands[at];
        assert!(at < 3, "an instruction has at most three operands");
        assert!(
            !role.is_32_bit() || (at == 1 && N == 2),
            "a 32-bit operand stands second and last"
        );
        assert!(
            !role.is_widened() || at == 2,
            "what a wide prefix extends stands in field c"
        );
        placed[at] = OperandInfo {
            name,
            role,
            field: at as u8,
        };
        at += 1;
    }
    placed
}

macro_rules! define_ops {
    ($($(#[doc = $doc:literal])+ $snake:ident = $camel:ident { $($operand:ident: $role:ident),* } ($flags:ident) [$($effect:ident)*];)*) => {
        /// The opcodes, one for each row of the instruction table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Op {
            $($(#[doc = $doc])+ $camel,)*
        }

        impl Op {
            /// Every opcode, in the order of the table.
            pub const ALL: &'static [Op] = &[$(Op::$camel),*];

            const INFO: &'static [OpInfo] = &[$({
                const OPERANDS: &[OperandInfo] = &place([$((stringify!($operand), Role::$role)),*]);
                OpInfo {
                    name: stringify!($snake),
                    operands: OPERANDS,
                    flags: FlagUse::$flags,
                    effects: Effects::none()$(.union(Effects::$effect))*,
                    documentation: concat!($($doc),+),
                }
            }),*];
        }
    };
}
for_each_op!(define_ops);

impl Op {
    /// The number of opcodes.
    pub const COUNT: usize = Op::ALL.len();

    /// The row of the table.
    pub fn info(self) -> &'static OpInfo {
        &Op::INFO[self as usize]
    }

    /// What the instruction's feedback cell records, if it has one.
    pub fn feedback_kind(self) -> Option<FeedbackKind> {
        match self {
            Op::Invoke | Op::Call => Some(FeedbackKind::Call),
            Op::ReadLocal
            | Op::GetVariable
            | Op::GetOuterVariable
            | Op::SetVariable
            | Op::BindSuper => Some(FeedbackKind::Variable),
            Op::InitMember | Op::GetMember | Op::SetMember | Op::CallMember | Op::CallSuper => {
                Some(FeedbackKind::Member)
            }
            _ => None,
        }
    }

    /// The opcode with this number, if there is one.
    pub fn from_byte(byte: u8) -> Option<Op> {
        Op::ALL.get(usize::from(byte)).copied()
    }
}
