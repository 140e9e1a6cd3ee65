//! Running a child process and counting what it used.

use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Instant;

use serde::{Deserialize, Serialize};

/// What one run of a program used.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Sample {
    /// Time from start to end, in seconds.
    #[serde(rename = "elapsed_seconds")]
    pub elapsed: f64,
    /// Processor time in user code, over all threads, in seconds.
    #[serde(rename = "user_seconds")]
    pub user: f64,
    /// Processor time in the kernel, over all threads, in seconds.
    #[serde(rename = "system_seconds")]
    pub system: f64,
    /// Largest resident set, in bytes.
    #[serde(rename = "peak_memory_bytes")]
    pub peak_memory: u64,
}

impl Sample {
    /// Processor time in user code and in the kernel, in seconds.
    pub fn processor(&self) -> f64 {
        self.user + self.system
    }
}

/// A run that came to its end, whatever that was.
#[derive(Clone, Debug)]
pub struct Run {
    /// What it used.
    pub sample: Sample,
    /// How it ended.
    pub status: ExitStatus,
    /// What the program wrote to standard output.
    pub output: Vec<u8>,
    /// What it wrote to standard error.
    pub errors: Vec<u8>,
}

impl Run {
    /// Why the run failed, with the first line from standard error; nothing if it ended well.
    pub fn failure(&self) -> Option<String> {
        if self.status.success() {
            return None;
        }
        let errors = String::from_utf8_lossy(&self.errors);
        let message = errors.lines().next();
        Some(format!(
            "{}: {}",
            self.status,
            message.unwrap_or("nothing on standard error")
        ))
    }
}

/// Runs a command to its end, with `input` to read on standard input.
///
/// # Errors
/// The command cannot be started or waited for. That it ends with a status other than success is no error.
pub fn run(mut command: Command, input: &[u8]) -> io::Result<Run> {
    let stdin = if input.is_empty() {
        Stdio::null()
    } else {
        Stdio::piped()
    };
    let start = Instant::now();
    let mut child = command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    // All pipes must be served at once, or a child that fills one of them waits for us while we wait for it.
    let (output, errors) = thread::scope(|scope| {
        let errors = scope.spawn(|| read_all(stderr));
        if let Some(mut stdin) = stdin {
            // A program may end without having read everything.
            scope.spawn(move || stdin.write_all(input));
        }
        let output = read_all(stdout);
        (output, errors.join().unwrap_or_else(|_| Ok(Vec::new())))
    });
    let (status, usage) = wait(child)?;
    Ok(Run {
        sample: Sample {
            elapsed: start.elapsed().as_secs_f64(),
            ..usage
        },
        status,
        output: output?,
        errors: errors?,
    })
}

fn read_all(pipe: Option<impl Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Waits for a child and takes its own resource usage, which the standard library does not offer. The elapsed time is left
/// open.
#[cfg(unix)]
fn wait(child: Child) -> io::Result<(ExitStatus, Sample)> {
    use std::os::unix::process::ExitStatusExt;

    let pid = libc::pid_t::try_from(child.id()).map_err(io::Error::other)?;
    let mut status = 0;
    // SAFETY: `rusage` is a plain structure of integers, for which all zeros is a valid value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers refer to live locals of the types that `wait4` writes. `child` is owned and nobody else has waited
    // for it, so its identifier cannot have been given to another process.
    while unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) } == -1 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    Ok((ExitStatus::from_raw(status), sample(&usage)))
}

/// What this process has used so far. The elapsed time is left open.
///
/// # Errors
/// The system does not tell.
#[cfg(unix)]
pub fn own_usage() -> io::Result<Sample> {
    // SAFETY: `rusage` is a plain structure of integers, for which all zeros is a valid value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer refers to a live local of the type that `getrusage` writes.
    if unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) } == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(sample(&usage))
}

#[cfg(unix)]
fn sample(usage: &libc::rusage) -> Sample {
    /// The unit of `ru_maxrss`, in bytes.
    const PEAK_MEMORY_UNIT: u64 = if cfg!(target_vendor = "apple") {
        1
    } else {
        1024
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    Sample {
        elapsed: 0.0,
        user: seconds(usage.ru_utime),
        system: seconds(usage.ru_stime),
        peak_memory: u64::try_from(usage.ru_maxrss).unwrap_or(0) * PEAK_MEMORY_UNIT,
    }
}

#[cfg(not(unix))]
fn wait(_child: Child) -> io::Result<(ExitStatus, Sample)> {
    own_usage().map(|usage| (ExitStatus::default(), usage))
}

/// What this process has used so far.
///
/// # Errors
/// Always: this is known on Unix-like systems only.
#[cfg(not(unix))]
pub fn own_usage() -> io::Result<Sample> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "benchmarks need a Unix-like system",
    ))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Run {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        run(command, b"").expect("the shell runs")
    }

    #[test]
    fn a_run_yields_output_and_usage() {
        let run = shell("i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; echo $i");
        assert_eq!(run.output, b"20000\n");
        assert_eq!(run.failure(), None);
        assert!(run.sample.processor() > 0.0);
        assert!(run.sample.elapsed > 0.0);
        assert!(run.sample.peak_memory > 0);
    }

    #[test]
    fn a_failing_run_yields_its_status_and_message() {
        let run = shell("echo broken >&2; echo and more >&2; exit 3");
        assert_eq!(run.failure().as_deref(), Some("exit status: 3: broken"));
    }

    #[test]
    fn much_output_on_both_streams_does_not_block() {
        let run = shell("i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); echo $i; echo $i >&2; done");
        assert!(run.output.ends_with(b"20000\n"));
    }

    #[test]
    fn the_input_is_what_was_given() {
        let much = b"line\n".repeat(100_000);
        let counted = run(Command::new("cat"), &much).expect("cat runs");
        assert_eq!(counted.output, much);
        // Nobody needs to read it.
        assert_eq!(run(Command::new("true"), &much).unwrap().failure(), None);
        assert_eq!(shell("cat").output, b"");
    }

    #[test]
    fn a_missing_program_is_an_error() {
        let missing = run(Command::new("no-such-engine"), b"");
        assert_eq!(missing.unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn this_process_uses_something() {
        assert!(own_usage().unwrap().peak_memory > 0);
    }
}
