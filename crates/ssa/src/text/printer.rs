//! Functions to text.

use std::fmt::{self, Display, Write};

use crate::ir::{Dependency, Entry, FrameId, Function, Inst};

impl Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "function {:?}", self.name)?;
        if let Entry::Loop(position) = self.entry {
            write!(f, " at @{position}")?;
        }
        writeln!(f)?;
        for dependency in &self.dependencies {
            writeln!(f, "depends on {dependency}")?;
        }
        let mut frames = Vec::new();
        for &block in &self.layout {
            let data = &self.blocks[block];
            write!(f, "{block}")?;
            let mut separator = "(";
            for &parameter in &data.parameters {
                write!(f, "{separator}{parameter}: {}", self.ty(parameter))?;
                separator = ", ";
            }
            if !data.parameters.is_empty() {
                write!(f, ")")?;
            }
            writeln!(f, "{}:", if data.is_cold { " cold" } else { "" })?;
            for &inst in &data.instructions {
                writeln!(f, "  {}", self.display_inst(inst))?;
                frames.extend(self.node(inst).frame());
            }
        }
        for frame in with_callers(self, frames) {
            self.write_frame(f, frame)?;
        }
        writeln!(f, "end")
    }
}

impl Function {
    /// An instruction as a line of the listing.
    pub fn display_inst(&self, inst: Inst) -> String {
        let mut line = String::new();
        if let Some(result) = self.result(inst) {
            let _ = write!(line, "{result}: {} = ", self.ty(result));
        }
        let node = self.node(inst);
        line.push_str(node.info().name);
        let mut separator = " ";
        node.for_each_field(|field| {
            line.push_str(separator);
            field.write(&mut line);
            separator = ", ";
        });
        line
    }

    fn write_frame(&self, f: &mut fmt::Formatter<'_>, id: FrameId) -> fmt::Result {
        let frame = &self.frames[id];
        write!(f, "{id} = {}@{}", frame.code, frame.position)?;
        if frame.window != 0 {
            write!(f, " +{}", frame.window)?;
        }
        if let Some((code, position)) = frame.origin {
            write!(f, " for {code}@{position}")?;
        }
        for (register, value) in &frame.registers {
            write!(f, " {register}={value}")?;
        }
        for (global, value) in &frame.globals {
            write!(f, " {global}={value}")?;
        }
        if let Some(caller) = frame.caller {
            write!(f, " in {caller}")?;
        }
        writeln!(f)
    }
}

/// Frame states and those they refer to, in order, each once.
fn with_callers(function: &Function, mut frames: Vec<FrameId>) -> Vec<FrameId> {
    let mut next = 0;
    while let Some(&frame) = frames.get(next) {
        frames.extend(function.frames[frame].caller);
        next += 1;
    }
    frames.sort_unstable();
    frames.dedup();
    frames
}

impl Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dependency::Prototypes => f.write_str("prototypes"),
            Dependency::ConstantSlot(holder, slot) => write!(f, "constant {holder} {slot}"),
            Dependency::ConstantGlobal(global) => write!(f, "constant {global}"),
            Dependency::AssignedGlobal(global) => write!(f, "assigned {global}"),
        }
    }
}
