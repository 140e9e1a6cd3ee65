//! Faults on purpose, for tests: guards that fail although what they guard holds, assumptions that are revoked although they do.
//!
//! What seldom happens is seldom tested. Code that is made with faults counts at each guard and at each look at its validity, and every
//! so often takes the way out. A program must do the same as ever.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use cranelift_codegen::ir::{self, InstBuilder, types};

use super::lower::Lowering;
use crate::emit::Emit;

/// Something that goes wrong every so often.
#[derive(Debug)]
pub struct Fault {
    interval: u32,
    /// Counted down by compiled code.
    remaining: AtomicU32,
}

impl Fault {
    /// Something that goes wrong every `interval` times; nothing if that is 0.
    fn every(interval: u32) -> Option<Fault> {
        (interval > 0).then_some(Fault {
            interval,
            remaining: AtomicU32::new(interval),
        })
    }
}

/// The faults of an interpreter's optimized code. The code mentions the addresses of their counters.
#[derive(Debug, Default)]
pub struct Faults {
    guard: Option<Fault>,
    validity: Option<Fault>,
}

impl Faults {
    /// Lets each guard with one of these numbers fail, and revokes the validity each time that many looks have been taken at it; 0 for
    /// never.
    pub fn new(guards: u32, looks: u32) -> Arc<Faults> {
        Arc::new(Faults {
            guard: Fault::every(guards),
            validity: Fault::every(looks),
        })
    }
}

impl Lowering<'_, '_> {
    /// Before a guard: goes to its exit every so often.
    pub(super) fn fail_guard_on_purpose(&mut self, exit: ir::Block) {
        let job = self.job;
        if let Some(fault) = &job.faults.guard {
            let next = self.count(fault);
            self.builder.ins().jump(exit, &[]);
            self.builder.switch_to_block(next);
        }
    }

    /// Before a look at the validity: revokes it every so often.
    pub(super) fn revoke_on_purpose(&mut self) {
        let job = self.job;
        if let Some(fault) = &job.faults.validity {
            let next = self.count(fault);
            let validity = self.word(self.job.validity);
            let revoked = self.builder.ins().iconst(types::I8, 0);
            self.store(revoked, validity, 0);
            self.builder.ins().jump(next, &[]);
            self.builder.switch_to_block(next);
        }
    }

    /// Counts down, and goes on where it is time for the fault. The block for all other times.
    fn count(&mut self, fault: &Fault) -> ir::Block {
        let address = self.word(fault.remaining.as_ptr() as u64);
        let remaining = self.load(types::I32, address, 0);
        let remaining = self.builder.ins().iadd_imm_s(remaining, -1);
        self.store(remaining, address, 0);
        let next = self.builder.create_block();
        let due = self.cold_block();
        self.builder.ins().brif(remaining, next, &[], due, &[]);
        self.builder.switch_to_block(due);
        let interval = self
            .builder
            .ins()
            .iconst(types::I32, i64::from(fault.interval));
        self.store(interval, address, 0);
        next
    }
}
