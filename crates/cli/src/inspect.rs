//! Commands that look at programs without running them.

use std::io::{ErrorKind, Write};
use std::path::Path;

use kiln::{CodeForm, CompileErrors, CompileOptions, Engine, JitOptions, Limits, Stage};

use crate::arguments::OptimizedForm;
use crate::{Error, SCRIPT_ERROR, colour, read};

/// Compiles programs and reports everything that is wrong with them.
pub fn check(files: &[impl AsRef<Path>]) -> Result<u8, Error> {
    let mut status = 0;
    for file in files {
        let file = file.as_ref();
        if let Err(errors) = kiln::compile(
            &file.to_string_lossy(),
            &read(file)?,
            CompileOptions::default(),
        ) {
            status = report(&errors);
        }
    }
    Ok(status)
}

/// Compiles a program to a file.
pub fn compile(file: &Path, output: &Path) -> Result<u8, Error> {
    match kiln::compile(
        &file.to_string_lossy(),
        &read(file)?,
        CompileOptions::default(),
    ) {
        Ok(program) => {
            let written = std::fs::write(output, kiln::save_compiled(&program));
            written.map_err(|reason| Error::Unwritable {
                path: output.display().to_string(),
                reason,
            })?;
            Ok(0)
        }
        Err(errors) => Ok(report(&errors)),
    }
}

/// Shows a program at a stage of compilation.
pub fn dump(file: &Path, stage: Stage) -> Result<u8, Error> {
    let contents = read(file)?;
    let path = file.to_string_lossy();
    if stage == Stage::Bytecode && kiln::is_compiled(&contents) {
        let program = kiln::load_compiled(&contents).map_err(|reason| Error::NotLoadable {
            path: path.into_owned(),
            reason,
        })?;
        return print(program.to_string().as_bytes());
    }
    match kiln::dump(&path, &contents, stage) {
        Ok(text) => print(text.as_bytes()),
        Err(errors) => Ok(report(&errors)),
    }
}

/// The path of a file, and the function named behind a colon after it.
fn path_and_function<'a>(file: &Path, text: &'a str) -> (&'a str, Option<&'a str>) {
    match text.rsplit_once(':') {
        Some((path, function)) if !file.exists() => (path, Some(function)),
        _ => (text, None),
    }
}

/// Shows the machine code of a program, or of the function behind a colon after the file's name.
pub fn dump_machine_code(file: &Path, form: CodeForm) -> Result<u8, Error> {
    let text = file.to_string_lossy();
    let (path, function) = path_and_function(file, &text);
    let contents = read(Path::new(path))?;
    match kiln::compile(path, &contents, CompileOptions::default()) {
        Ok(program) => {
            let source = String::from_utf8_lossy(&contents);
            print(kiln::machine_code(&program, &source, function, form)?.as_bytes())
        }
        Err(errors) => Ok(report(&errors)),
    }
}

/// Runs a program, and shows what the optimizing compiler made of what got hot, or of the function behind a colon after the file's
/// name. What the program writes is dropped, and it has nothing to read.
pub fn dump_optimized(file: &Path, form: OptimizedForm, jit: JitOptions) -> Result<u8, Error> {
    let text = file.to_string_lossy();
    let (path, function) = path_and_function(file, &text);
    let contents = read(Path::new(path))?;
    let program = match kiln::compile(path, &contents, CompileOptions::default()) {
        Ok(program) => program,
        Err(errors) => return Ok(report(&errors)),
    };
    let mut interpreter = Engine::new()
        .interpreter()
        .limits(Limits::TRUSTED)
        .jit(jit)
        .build()?;
    let status = match interpreter.run(&program) {
        Ok(_) => 0,
        Err(error) => {
            eprintln!("{error}");
            SCRIPT_ERROR
        }
    };
    let mut text = String::new();
    for listing in interpreter.jit_report().listings {
        if function.is_some_and(|name| listing.function != name) {
            continue;
        }
        let (name, entry) = (&listing.function, listing.for_loop);
        let entry = entry.map_or_else(|| "calls".to_owned(), |index| format!("loop {index}"));
        let mut add = |title: &str, body: &str| {
            text.push_str(&format!("== {name}, for {entry}{title}\n{body}\n"));
        };
        match form {
            OptimizedForm::Ssa => {
                add("", listing.passes.last().map_or("", |(_, text)| text));
            }
            OptimizedForm::Passes => {
                for (pass, body) in &listing.passes {
                    add(&format!(", behind {pass}"), body);
                }
            }
            OptimizedForm::Clif => add("", &listing.clif),
            OptimizedForm::Assembly => add("", &listing.assembly),
        }
    }
    if text.is_empty() {
        eprintln!("nothing got hot enough to be optimized; --jit-threshold=1 makes everything so");
    }
    print(text.as_bytes())?;
    Ok(status)
}

/// Writes to standard output. That nobody reads it any more is no error.
pub fn print(text: &[u8]) -> Result<u8, Error> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::Output(error)),
        _ => Ok(0),
    }
}

fn report(errors: &CompileErrors) -> u8 {
    eprintln!("{}", errors.render(colour()));
    SCRIPT_ERROR
}
