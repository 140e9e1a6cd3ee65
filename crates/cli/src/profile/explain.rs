//! `kiln explain`.

use std::ffi::OsString;
use std::path::Path;

use kiln::profile::{self, Method};

use super::{Destination, Measured, measure, silence};
use crate::arguments::{ExplainArguments, ProfiledProgram};
use crate::{Error, SCRIPT_ERROR};

/// Runs a program twice, as always and with everything counted, and explains its hottest functions or the one at a line. The exit
/// status is the script's.
pub fn explain(mut arguments: ExplainArguments) -> Result<u8, Error> {
    let (script, line) = target(&arguments.program.script[0]);
    if script == "-" {
        return Err(Error::NotTwice);
    }
    arguments.program.script[0] = script;
    arguments.options.record_tiers = true;
    arguments.options.all_tiers = true;
    let destination = Destination::new(arguments.output.take())?;
    let ExplainArguments {
        program, options, ..
    } = &arguments;
    let run = |method, is_silent| measure_in(program, method, options, is_silent);
    let (fast, counted) = if arguments.once {
        (None, run(Method::Exact, false)?)
    } else {
        let Some(fast) = run(Method::Sampled, false)? else {
            return Ok(SCRIPT_ERROR);
        };
        if fast.profile.ending == profile::Ending::Interrupted {
            return Ok(fast.status);
        }
        (Some(fast), run(Method::Exact, true)?)
    };
    let Some(counted) = counted else {
        return Ok(SCRIPT_ERROR);
    };
    let tiers = fast.as_ref().map(|fast| &fast.profile);
    let style = destination.style();
    let Some(text) = profile::explain(&counted.profile, tiers, line, &style) else {
        return Err(Error::NothingThere {
            path: counted.profile.script,
            line: line.unwrap_or(1),
        });
    };
    destination.write(&text)?;
    Ok(fast.unwrap_or(counted).status)
}

/// Runs the program; silently, nobody sees what it writes, and it has nothing to read.
fn measure_in(
    program: &ProfiledProgram,
    method: Method,
    options: &crate::arguments::Options,
    is_silent: bool,
) -> Result<Option<Measured>, Error> {
    let settings = profile::Options {
        method,
        memory: false,
    };
    measure(program, settings, options, |world| {
        if is_silent {
            silence(world);
        }
    })
}

/// Splits `game.ms:15` into the script and the line, unless there is a file of that name.
fn target(argument: &OsString) -> (OsString, Option<u32>) {
    let whole = || (argument.clone(), None);
    if Path::new(argument).exists() {
        return whole();
    }
    let Some((script, line)) = argument.to_str().and_then(|text| text.rsplit_once(':')) else {
        return whole();
    };
    match line.parse() {
        Ok(line) => (script.into(), Some(line)),
        Err(_) => whole(),
    }
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn a_line_may_follow_the_script() {
        assert_eq!(target(&"game.ms:15".into()), ("game.ms".into(), Some(15)));
        assert_eq!(target(&"game.ms".into()), ("game.ms".into(), None));
        assert_eq!(target(&"a:b.ms".into()), ("a:b.ms".into(), None));
    }
}
