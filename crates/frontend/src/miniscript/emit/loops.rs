//! Loops.

use kiln_bytecode::{Label, ReadMode, Register};

use super::super::ast::{Block, Expr, ExprKind, Read};
use super::super::names::Name;
use super::conditions::{Branch, ends_in_comparison};
use super::variables::Place;
use super::{FunctionEmitter, LoopLabels};

impl<'a> FunctionEmitter<'a> {
    /// A condition that ends in a comparison is tested once before the loop and then at the end of each pass, which takes one
    /// jump less per pass. Others are tested at the head.
    pub(super) fn while_loop(&mut self, condition: &'a Expr, body: &'a Block, line: u32) {
        let test = self.builder.here();
        let (header, back, end) = (
            self.builder.new_label(),
            self.builder.new_label(),
            self.builder.new_label(),
        );
        let counter = self.builder.add_loop(header, end, line);
        self.condition(condition, Branch::IfFalse(end));
        self.builder.bind(header);
        self.loops.push(LoopLabels {
            break_to: end,
            continue_to: back,
            counter: None,
        });
        self.block(body);
        self.loops.pop();
        self.set_line(line);
        self.builder.bind(back);
        if ends_in_comparison(condition) {
            self.condition(condition, Branch::Again(header, counter));
        } else {
            self.builder.loop_back(counter, test);
        }
        self.builder.bind(end);
    }

    /// The sequence and its index stand in two neighbouring registers, the loop's state. The index is the hidden variable
    /// `__v_idx`, which programs may read and assign.
    pub(super) fn for_loop(
        &mut self,
        variable: Name,
        counter: Name,
        sequence: &'a Expr,
        body: &'a Block,
        line: u32,
    ) {
        let nested = self
            .loops
            .iter()
            .any(|labels| labels.counter == Some(counter));
        let counter_register = match self.place(counter) {
            Place::Register(index) => Some(index),
            _ => self.own_global(counter),
        };
        let state = match counter_register {
            Some(index) => Register(index.0 - 1),
            None => self.temporaries(2),
        };
        // A loop over the same variable around this one uses the same state: its sequence is put aside.
        let outer_sequence = (nested && counter_register.is_some()).then(|| {
            let saved = self.temporary();
            self.builder.move_register(saved, state);
            saved
        });
        self.sequence(sequence, state);
        let index = state.offset(1);
        match self.place(counter) {
            Place::Global => {
                let global = self.builder.global(self.text(counter));
                self.scratch(|this| {
                    let start = this.temporary();
                    this.load_number(start, -1.0);
                    this.builder.set_global(start, global);
                });
                if counter_register.is_none() {
                    self.load_number(index, f64::from(global.0));
                }
            }
            Place::Register(_) => self.load_number(index, -1.0),
            _ => {
                self.load_number(index, -1.0);
                self.store_variable(counter, index);
            }
        }
        let (test, header, end) = (
            self.builder.new_label(),
            self.builder.new_label(),
            self.builder.new_label(),
        );
        let loop_index = self.builder.add_loop(header, end, line);
        let variable_register = match self.place(variable) {
            Place::Register(local) => Some(local),
            _ => counter_register.and(self.own_global(variable)),
        };
        if self.own_global(variable).is_some() && variable_register.is_some() {
            // The first pass enters the variable into the map `globals`.
            let (first, element) = (self.builder.new_label(), self.temporary());
            self.reread_sequence(sequence, state);
            self.builder.for_loop(element, state, first, loop_index);
            self.builder.jump(end);
            self.builder.bind(first);
            self.store_variable(variable, element);
        } else {
            self.builder.jump(test);
        }

        self.builder.bind(header);
        let element = variable_register.unwrap_or_else(|| self.temporary());
        if variable_register.is_none() {
            self.store_variable(variable, element);
        }
        self.loops.push(LoopLabels {
            break_to: end,
            continue_to: test,
            counter: Some(counter),
        });
        self.block(body);
        self.loops.pop();

        self.set_line(line);
        self.builder.bind(test);
        self.reread_sequence(sequence, state);
        match self.place(counter) {
            Place::Global if counter_register.is_none() => {
                self.builder
                    .for_loop_global(element, state, header, loop_index);
            }
            Place::Register(_) | Place::Global => {
                self.builder.for_loop(element, state, header, loop_index);
            }
            _ => self.for_loop_by_name(counter, element, state, header, loop_index),
        }
        self.builder.bind(end);
        if let Some(saved) = outer_sequence {
            self.builder.move_register(state, saved);
        }
    }

    /// A variable marked with `@` is read on every pass.
    fn reread_sequence(&mut self, sequence: &'a Expr, state: Register) {
        if let ExprKind::Variable {
            name,
            read: Read::Deferred,
        } = &sequence.kind
        {
            let register =
                self.read_variable(*name, sequence.span.start, ReadMode::PLAIN, Some(state));
            if register != state {
                self.builder.move_register(state, register);
            }
        }
    }

    /// The step of a loop whose counter lives in the variable map.
    fn for_loop_by_name(
        &mut self,
        counter: Name,
        element: Register,
        state: Register,
        header: Label,
        loop_index: kiln_bytecode::LoopIndex,
    ) {
        let index = state.offset(1);
        let (pass, end) = (self.builder.new_label(), self.builder.new_label());
        self.read_variable(counter, u32::MAX, ReadMode::PLAIN, Some(index));
        self.builder.for_loop(element, state, pass, loop_index);
        self.builder.jump(end);
        self.builder.bind(pass);
        self.store_variable(counter, index);
        self.builder.loop_back(loop_index, header);
        self.builder.bind(end);
    }

    /// Evaluates a loop's sequence. A call of `range` need not make a list.
    fn sequence(&mut self, sequence: &'a Expr, dst: Register) {
        if let ExprKind::Variable {
            name,
            read: Read::Call(arguments),
        } = &sequence.kind
            && Some(*name) == self.context.special.range
            && self.place(*name) == Place::Global
            && (1..=3).contains(&arguments.len())
        {
            self.scratch(|this| {
                let window = this.window(arguments.len());
                let count = this.arguments(arguments, window);
                let global = this.builder.global("range");
                this.builder.get_global(window, global, ReadMode::PLAIN);
                let made = this.builder.new_label();
                this.builder.make_range(dst, window, made, count);
                let feedback = this.builder.call_feedback();
                this.builder.call(dst, window, feedback, count);
                this.builder.bind(made);
            });
            return;
        }
        self.value_to(sequence, dst);
    }
}
