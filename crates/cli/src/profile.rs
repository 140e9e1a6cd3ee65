//! `kiln profile`, `kiln hotspots` and `kiln explain`.

mod explain;
mod sources;

use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};

use kiln::profile::{self, Method, Profile, Recorder, Style};
use kiln::{CompileOptions, Outcome};

use crate::arguments::{HotspotsArguments, Options, ProfileArguments, ProfiledProgram};
use crate::console::Output;
use crate::run::World;
use crate::terminal::Input;
use crate::{Error, SCRIPT_ERROR, colour};

pub use explain::explain;

/// The exit status of `kiln hotspots` if there is nothing worth compiling.
const NO_HOTSPOTS: u8 = 3;

/// Where a report goes: standard error, as standard output belongs to the script, or a file.
///
/// The file is made before the script runs, so that nobody waits for a report which cannot be written.
enum Destination {
    StandardError,
    File(PathBuf, File),
}

impl Destination {
    fn new(path: Option<PathBuf>) -> Result<Destination, Error> {
        let Some(path) = path else {
            return Ok(Destination::StandardError);
        };
        match File::create(&path) {
            Ok(file) => Ok(Destination::File(path, file)),
            Err(reason) => Err(unwritable(&path, reason)),
        }
    }

    fn style(&self) -> Style {
        match self {
            Destination::StandardError => Style {
                colour: colour(),
                width: std::io::stderr()
                    .is_terminal()
                    .then(|| terminal_size::terminal_size_of(std::io::stderr()))
                    .flatten()
                    .map(|(width, _)| width.0.into()),
            },
            Destination::File(..) => Style::default(),
        }
    }

    fn write(self, text: &str) -> Result<(), Error> {
        match self {
            Destination::StandardError => match std::io::stderr().write_all(text.as_bytes()) {
                Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::Output(error)),
                _ => Ok(()),
            },
            Destination::File(path, mut file) => file
                .write_all(text.as_bytes())
                .map_err(|reason| unwritable(&path, reason)),
        }
    }
}

fn unwritable(path: &Path, reason: std::io::Error) -> Error {
    Error::Unwritable {
        path: path.display().to_string(),
        reason,
    }
}

/// Runs a program and reports what it spent its time and memory on. The exit status is the script's.
pub fn profile(mut arguments: ProfileArguments) -> Result<u8, Error> {
    arguments.options.record_tiers = true;
    let destination = Destination::new(arguments.output)?;
    let folded = match arguments.folded {
        Some(path) => Some(Destination::new(Some(path))?),
        None => None,
    };
    let html = match arguments.html {
        Some(path) => Some(Destination::new(Some(path))?),
        None => None,
    };
    let options = profile::Options {
        method: method(arguments.sample),
        memory: arguments.memory,
    };
    let Some(Measured {
        mut profile,
        status,
        text,
    }) = measure(&arguments.program, options, &arguments.options, |_| ())?
    else {
        return Ok(SCRIPT_ERROR);
    };
    let is_interrupted = profile.ending == profile::Ending::Interrupted;
    let can_repeat = arguments.program.script[0] != "-" && !is_interrupted;
    if html.is_some() && !arguments.sample && !arguments.once && can_repeat {
        arguments.options.all_tiers = true;
        let sampled = profile::Options {
            method: Method::Sampled,
            memory: false,
        };
        let fast = measure(&arguments.program, sampled, &arguments.options, silence)?;
        if let Some(fast) = fast {
            profile.add_full_speed(fast.profile);
        }
    }
    let style = destination.style();
    destination.write(&if arguments.json {
        json(&profile.to_json())
    } else if arguments.memory {
        profile::memory_report(&profile, &style)
    } else {
        profile::report(&profile, &style)
    })?;
    if let Some(folded) = folded {
        folded.write(&profile::folded_stacks(&profile))?;
    }
    if let Some(html) = html {
        let sources = sources::of(&profile, text.as_deref());
        html.write(&profile::page(&profile, &sources))?;
    }
    Ok(status)
}

/// Runs a program and ranks what is worth compiling. The exit status tells whether there is anything.
pub fn hotspots(arguments: HotspotsArguments) -> Result<u8, Error> {
    let destination = Destination::new(arguments.output)?;
    let thresholds = arguments.thresholds.thresholds();
    let options = profile::Options {
        method: method(arguments.sample),
        memory: false,
    };
    let Some(Measured {
        profile, status, ..
    }) = measure(&arguments.program, options, &arguments.options, |_| ())?
    else {
        return Ok(SCRIPT_ERROR);
    };
    let candidates = profile::hotspots(&profile, &thresholds);
    let style = destination.style();
    destination.write(&if arguments.json {
        json(&profile::hotspots_json(&profile, &candidates, &thresholds))
    } else {
        profile::hotspots_report(&profile, &candidates, &thresholds, &style)
    })?;
    let has_failed = !matches!(
        profile.ending,
        profile::Ending::Finished | profile::Ending::Exit { .. }
    );
    Ok(
        match candidates.iter().any(|candidate| candidate.is_stable) {
            _ if has_failed => status,
            true => 0,
            false => NO_HOTSPOTS,
        },
    )
}

fn method(sample: bool) -> Method {
    if sample {
        Method::Sampled
    } else {
        Method::Exact
    }
}

fn json(text: &str) -> String {
    format!("{text}\n")
}

/// Lets nobody see what the program writes, and gives it nothing to read.
fn silence(world: &mut World) {
    world.is_silent = true;
    *world.output.lock() = Output::captured();
    *world.input.lock() = Input::detached();
}

/// A run and its profile.
struct Measured {
    profile: Profile,
    /// The exit status that the script alone would have had.
    status: u8,
    /// The program's text, unless it was compiled ahead.
    text: Option<Vec<u8>>,
}

/// Runs a program in a world that has been prepared; none if it does not compile, which has been reported then.
fn measure(
    program: &ProfiledProgram,
    options: profile::Options,
    run_options: &Options,
    prepare: impl FnOnce(&mut World),
) -> Result<Option<Measured>, Error> {
    let path = Path::new(&program.script[0]);
    let is_file = path.as_os_str() != "-";
    let name = if is_file {
        path.to_string_lossy().into_owned()
    } else {
        "(standard input)".into()
    };
    let mut recorder = Recorder::new(&name, options);
    let contents = recorder.phase("read", || crate::read(path))?;
    let is_compiled = kiln::is_compiled(&contents);
    let compiled = if is_compiled {
        let loaded = recorder.phase("load", || kiln::load_compiled(&contents));
        Ok(loaded.map_err(|reason| Error::NotLoadable { path: name, reason })?)
    } else {
        recorder.compile(&contents, CompileOptions::default())
    };
    let code = match compiled {
        Ok(code) => code,
        Err(errors) => {
            eprintln!("{}", errors.render(colour()));
            return Ok(None);
        }
    };
    let arguments: &[OsString] = &program.script;
    let mut world = World::new(is_file.then_some(path), arguments, run_options)?;
    prepare(&mut world);
    let (outcome, profile) = recorder.run(&mut world.interpreter, &code);
    let status = match outcome {
        Ok(Outcome::Finished) => 0,
        Ok(Outcome::Exit(status)) => status,
        Err(error) => world.report(&error),
    };
    let status = world.finish(status)?;
    Ok(Some(Measured {
        profile,
        status,
        text: (!is_compiled).then_some(contents),
    }))
}
