//! Loops.

use kiln_bytecode::{Label, ReadMode, Register};

use super::super::ast::{Block, Expr, ExprKind, Read};
use super::super::names::Name;
use super::variables::Place;
use super::{FunctionEmitter, LoopLabels};

impl<'a> FunctionEmitter<'a> {
    pub(super) fn while_loop(&mut self, condition: &'a Expr, body: &'a Block, line: u32) {
        let (test, header, end) = (
            self.builder.new_label(),
            self.builder.new_label(),
            self.builder.new_label(),
        );
        let counter = self.builder.add_loop(header, end, line);
        self.builder.bind(test);
        self.condition(condition, end, false);
        self.builder.bind(header);
        self.loops.push(LoopLabels {
            break_to: end,
            continue_to: test,
            counter: None,
        });
        // Every way back passes the counting jump.
        let back = self.builder.new_label();
        if let Some(labels) = self.loops.last_mut() {
            labels.continue_to = back;
        }
        self.block(body);
        self.loops.pop();
        self.set_line(line);
        self.builder.bind(back);
        self.builder.loop_back(counter, test);
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
        let state = match self.place(counter) {
            Place::Register(index) => Register(index.0 - 1),
            _ => self.temporaries(2),
        };
        let is_local = matches!(self.place(counter), Place::Register(_));
        // A loop over the same variable around this one uses the same state: its sequence is put aside.
        let outer_sequence = (nested && is_local).then(|| {
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
                self.load_number(index, f64::from(global.0));
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
        self.builder.jump(test);

        self.builder.bind(header);
        let element = match self.place(variable) {
            Place::Register(local) => local,
            _ => self.temporary(),
        };
        if !matches!(self.place(variable), Place::Register(_)) {
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
        match self.place(counter) {
            Place::Global => {
                self.builder
                    .for_loop_global(element, state, header, loop_index);
            }
            Place::Register(_) => {
                self.builder.for_loop(element, state, header, loop_index);
            }
            _ => self.for_loop_by_name(counter, element, state, header, loop_index),
        }
        self.builder.bind(end);
        if let Some(saved) = outer_sequence {
            self.builder.move_register(state, saved);
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
