//! Calls.
//!
//! The window of a call is laid above the live temporaries: callee, `self`, `super`, arguments. The function is looked up
//! after the arguments have been evaluated.

use kiln_bytecode::{ReadMode, Register};

use super::super::ast::Expr;
use super::super::names::Name;
use super::FunctionEmitter;

/// Slots of a window before the arguments.
const FIXED_SLOTS: u32 = 3;
/// The most arguments that an instruction can name.
const MAX_ARGUMENTS: usize = 255;

impl<'a> FunctionEmitter<'a> {
    /// A window for a call with this many arguments.
    pub(super) fn window(&mut self, arguments: usize) -> Register {
        self.temporaries(FIXED_SLOTS + arguments.min(MAX_ARGUMENTS) as u32)
    }

    /// Evaluates the arguments into a window. Returns their number.
    pub(super) fn arguments(&mut self, arguments: &'a [Expr], window: Register) -> u8 {
        if arguments.len() > MAX_ARGUMENTS {
            let message = self.builder.string("Argument limit exceeded");
            self.builder.throw(message);
        }
        let fixed = FIXED_SLOTS as u16;
        for (index, argument) in arguments.iter().take(MAX_ARGUMENTS).enumerate() {
            self.value_to(argument, window.offset(fixed + index as u16));
        }
        arguments.len().min(MAX_ARGUMENTS) as u8
    }

    /// `name(arguments)`
    pub(super) fn call_variable(
        &mut self,
        name: Name,
        arguments: &'a [Expr],
        at: u32,
        dst: Option<Register>,
    ) -> Register {
        let dst = dst.unwrap_or_else(|| self.temporary());
        self.scratch(|this| {
            let window = this.window(arguments.len());
            let count = this.arguments(arguments, window);
            let mode = match this.assigning {
                Some((target, extra)) if target == name => extra,
                _ => ReadMode::PLAIN,
            };
            let callee = this.read_variable(name, at, mode, Some(window));
            if callee != window {
                this.builder.move_register(window, callee);
            }
            let feedback = this.builder.call_feedback();
            this.builder.call(dst, window, feedback, count);
        });
        dst
    }

    /// A command whose callee is a computed value.
    pub(super) fn call_value(&mut self, callee: &'a Expr, arguments: &'a [Expr], dst: Register) {
        self.scratch(|this| {
            let window = this.window(arguments.len());
            this.value_to(callee, window);
            let count = this.arguments(arguments, window);
            let feedback = this.builder.call_feedback();
            this.builder.call(dst, window, feedback, count);
        });
    }

    /// `object.name(arguments)`; the object is evaluated into the window by `object`.
    pub(super) fn call_member(
        &mut self,
        object: impl FnOnce(&mut Self, Register),
        name: Name,
        arguments: &'a [Expr],
        dst: Register,
    ) {
        self.scratch(|this| {
            let window = this.window(arguments.len());
            object(this, window.offset(1));
            let count = this.arguments(arguments, window);
            let feedback = this.builder.member_feedback(this.text(name));
            this.builder.call_member(dst, window, feedback, count);
        });
    }

    /// `super.name(arguments)`: found from `super` on, with the current `self`.
    pub(super) fn call_super(
        &mut self,
        super_name: Name,
        at: u32,
        name: Name,
        arguments: &'a [Expr],
        dst: Register,
    ) {
        self.scratch(|this| {
            let window = this.window(arguments.len());
            this.builder.get_self(window.offset(1));
            this.read_variable(super_name, at, ReadMode::PLAIN, Some(window.offset(2)));
            let count = this.arguments(arguments, window);
            let feedback = this.builder.member_feedback(this.text(name));
            this.builder.call_super(dst, window, feedback, count);
        });
    }

    /// `object[index](arguments)` as a statement.
    pub(super) fn call_index(
        &mut self,
        object: impl FnOnce(&mut Self, Register),
        index: &'a Expr,
        arguments: &'a [Expr],
        dst: Register,
    ) {
        self.scratch(|this| {
            let index_slot = this.temporary();
            let window = this.window(arguments.len());
            object(this, window.offset(1));
            this.value_to(index, index_slot);
            let count = this.arguments(arguments, window);
            this.builder.call_index(dst, window, index_slot, count);
        });
    }
}
