//! Dates: seconds since the start of the year 2000 in the local time zone, read and written.

use std::fmt::Write;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The format of a date if none is given.
pub const DEFAULT_FORMAT: &str = "yyyy-MM-dd HH:mm:ss";

/// Reads and writes dates in one time zone.
///
/// A *date* is a number of seconds since 2000-01-01 00:00:00 in this time zone.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    /// The start of the year 2000, in seconds since 1970 in UTC.
    epoch: i64,
}

impl Calendar {
    /// The calendar in the time zone of the machine.
    pub fn local() -> Calendar {
        Calendar::new(TimeZone::system())
    }

    /// The calendar in this time zone.
    pub fn new(zone: TimeZone) -> Calendar {
        let epoch = jiff::civil::date(2000, 1, 1).to_zoned(zone.clone());
        // A fixed date within the range of every time zone: the error does not occur.
        let epoch = epoch.map_or(0, |epoch| epoch.timestamp().as_second());
        Calendar { zone, epoch }
    }

    /// The present second.
    pub fn now(&self) -> f64 {
        self.date_of(Timestamp::now())
    }

    /// The date of a point in time, such as the last change of a file.
    pub fn date_of(&self, time: Timestamp) -> f64 {
        (time.as_second() - self.epoch) as f64
    }

    /// The date that a text names: `year-month-day`, `hour:minute:second`, or both, separated by
    /// spaces.
    ///
    /// Missing parts of a date or time count as 0, a missing date as today, and a time followed by
    /// a word `P` or `PM` is in the afternoon. Everything else is ignored. Parts outside their
    /// range carry over: the 0th day of May is the last of April. None if the date lies outside
    /// the years -9999 to 9999.
    pub fn parse(&self, text: &str) -> Option<f64> {
        self.parse_on(text, self.zone.to_datetime(Timestamp::now()).date())
    }

    fn parse_on(&self, text: &str, today: Date) -> Option<f64> {
        let (mut year, mut month, mut day) = (
            today.year().into(),
            today.month().into(),
            today.day().into(),
        );
        let [mut hour, mut minute, mut second] = [0; 3];
        let mut afternoon = false;
        for part in text.split(' ') {
            if part.contains('-') {
                [year, month, day] = fields(part, '-');
            } else if part.contains(':') {
                [hour, minute, second] = fields(part, ':');
            } else if part.eq_ignore_ascii_case("p") || part.eq_ignore_ascii_case("pm") {
                afternoon = true;
            }
        }
        if afternoon && hour < 12 {
            hour += 12;
        }
        let months = year * 12 + (month - 1);
        let first = Date::new(
            i16::try_from(months.div_euclid(12)).ok()?,
            months.rem_euclid(12) as i8 + 1,
            1,
        )
        .ok()?;
        let seconds = (((day - 1) * 24 + hour) * 60 + minute) * 60 + second;
        let time = first
            .at(0, 0, 0, 0)
            .checked_add(SignedDuration::from_secs(seconds))
            .ok()?;
        Some(self.date_of(time.to_zoned(self.zone.clone()).ok()?.timestamp()))
    }

    /// Writes a date, without its fraction, in this format; an empty text for one outside the years
    /// -9999 to 9999.
    pub fn format(&self, date: f64, format: &str) -> String {
        let seconds = date + self.epoch as f64;
        if seconds.is_nan() {
            return String::new();
        }
        match Timestamp::from_second(seconds as i64) {
            Ok(time) => format_civil(self.zone.to_datetime(time), format),
            Err(_) => String::new(),
        }
    }
}

/// The numbers between the separators, 0 for missing ones.
fn fields(part: &str, separator: char) -> [i64; 3] {
    let mut fields = [0; 3];
    for (field, text) in fields.iter_mut().zip(part.split(separator)) {
        *field = leading_number(text);
    }
    fields
}

/// The digits the text starts with, as a number; 0 if there are none or too many.
fn leading_number(text: &str) -> i64 {
    let end = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    text[..end].parse::<u32>().unwrap_or(0).into()
}

/// What a format of a single character stands for, if it is one.
fn standard_format(format: &str) -> Option<&'static str> {
    Some(match format {
        "d" => "MM/dd/yy",
        "D" => "dddd, dd MMMM yyyy",
        "f" => "dddd, dd MMMM yyyy HH:mm",
        "F" | "U" => "dddd, dd MMMM yyyy HH:mm:ss",
        "g" => "MM/dd/yy H:HH tt",
        "G" => "MM/dd/yy HH:mm:ss",
        "M" | "m" => "d MMMM",
        "O" | "o" => "yyyy-MM-dd'T'HH:mm:ss.ffffff'0'",
        "R" | "r" => "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
        "s" => "yyyy-MM-dd'T'HH:mm:ss",
        "t" => "HH:mm",
        "T" => "HH:mm:ss",
        "u" => "yyyy-MM-dd HH:mm:ss'Z'",
        "Y" | "y" => "yyyy MMMM",
        _ => return None,
    })
}

fn format_civil(time: DateTime, format: &str) -> String {
    if format.is_empty() {
        return time.strftime("%a %b %e %H:%M:%S %Y").to_string();
    }
    let mut out = String::new();
    let codes = match (standard_format(format), format.strip_prefix('%')) {
        (Some(standard), _) => standard,
        (None, Some(codes)) => codes,
        (None, None) if format.len() == 1 => return out,
        (None, None) => format,
    };
    let mut rest = codes.chars();
    while let Some(code) = rest.next() {
        match code {
            '\\' => out.extend(rest.next()),
            '\'' | '"' => copy_quoted(&mut rest, code, &mut out),
            _ => {
                let repeated = rest
                    .as_str()
                    .chars()
                    .take_while(|next| *next == code)
                    .count();
                let count = (repeated + 1).min(longest_code(code));
                // Skips the characters that were counted.
                rest.by_ref().take(count - 1).for_each(drop);
                // Writing to a string cannot fail.
                let _ = write_code(time, code, count, &mut out);
            }
        }
    }
    out
}

/// Copies up to the closing quote; a backslash takes the next character as it is.
fn copy_quoted(rest: &mut std::str::Chars<'_>, quote: char, out: &mut String) {
    while let Some(character) = rest.next() {
        match character {
            '\\' => out.extend(rest.next()),
            _ if character == quote => return,
            _ => out.push(character),
        }
    }
}

/// How many equal characters make the longest code of this character.
fn longest_code(code: char) -> usize {
    match code {
        'f' | 'F' => 6,
        'y' | 'M' | 'd' => 4,
        'h' | 'H' | 'm' | 's' | 't' | 'g' => 2,
        _ => 1,
    }
}

/// Writes what `count` times the character `code` stands for.
fn write_code(time: DateTime, code: char, count: usize, out: &mut String) -> std::fmt::Result {
    let half_day = if time.hour() < 12 { "AM" } else { "PM" };
    match (code, count) {
        ('y', 3..) => write!(out, "{:0count$}", time.year()),
        ('y', 2) => write!(out, "{:02}", time.year().rem_euclid(100)),
        ('M', 4) => write!(out, "{}", time.strftime("%B")),
        ('M', 3) => write!(out, "{}", time.strftime("%b")),
        ('M', _) => write!(out, "{:0count$}", time.month()),
        ('d', 4) => write!(out, "{}", time.strftime("%A")),
        ('d', 3) => write!(out, "{}", time.strftime("%a")),
        ('d', _) => write!(out, "{:0count$}", time.day()),
        ('h', _) => write!(out, "{:0count$}", (time.hour() + 11) % 12 + 1),
        ('H', _) => write!(out, "{:0count$}", time.hour()),
        ('m', _) => write!(out, "{:0count$}", time.minute()),
        ('s', _) => write!(out, "{:0count$}", time.second()),
        // A date that is written has no fraction of a second.
        ('f', _) => write!(out, "{:0count$}", 0),
        ('F', _) => Ok(()),
        ('t', _) => out.write_str(&half_day[..count]),
        ('g', _) => out.write_str(if time.year() > 0 { "A.D." } else { "B.C." }),
        _ => out.write_char(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc() -> Calendar {
        Calendar::new(TimeZone::UTC)
    }

    /// Reads a date and writes it in the default format.
    fn normalized(text: &str) -> String {
        let calendar = utc();
        let date = calendar.parse_on(text, jiff::civil::date(2026, 3, 14));
        calendar.format(date.unwrap_or(f64::NAN), DEFAULT_FORMAT)
    }

    fn formatted(format: &str) -> String {
        let calendar = utc();
        calendar.format(calendar.parse("2023-02-03 14:05:09").unwrap(), format)
    }

    #[test]
    fn a_date_counts_seconds_from_the_year_2000() {
        assert_eq!(utc().parse("2023-02-03 04:05:06"), Some(728712306.0));
        assert_eq!(utc().format(0.0, DEFAULT_FORMAT), "2000-01-01 00:00:00");
        assert_eq!(utc().format(1.5, DEFAULT_FORMAT), "2000-01-01 00:00:01");
        assert_eq!(utc().date_of(Timestamp::UNIX_EPOCH), -946684800.0);
    }

    #[test]
    fn the_time_zone_counts() {
        let calendar = Calendar::new(TimeZone::fixed(jiff::tz::offset(2)));
        assert_eq!(calendar.parse("2000-01-01"), Some(0.0));
        assert_eq!(calendar.format(3600.0, "HH:mm"), "01:00");
        assert_eq!(
            calendar.date_of(Timestamp::UNIX_EPOCH),
            -946684800.0 + 7200.0
        );
    }

    #[test]
    fn missing_parts_are_filled_in() {
        assert_eq!(normalized("2023-05-06"), "2023-05-06 00:00:00");
        assert_eq!(normalized("2023-05"), "2023-04-30 00:00:00");
        assert_eq!(normalized("2023-05-06 7:08"), "2023-05-06 07:08:00");
        assert_eq!(normalized("04:05"), "2026-03-14 04:05:00");
        assert_eq!(normalized("nonsense"), "2026-03-14 00:00:00");
    }

    #[test]
    fn parts_out_of_range_carry_over() {
        assert_eq!(normalized("2023-14-45 25:61:61"), "2024-03-17 02:02:01");
        assert_eq!(normalized("99999-01-01"), "");
        assert_eq!(normalized("2023-4000000000-4000000000 4000000000:00"), "");
    }

    #[test]
    fn pm_is_the_afternoon() {
        assert_eq!(normalized("04:05 PM"), "2026-03-14 16:05:00");
        assert_eq!(normalized("04:05 p"), "2026-03-14 16:05:00");
        assert_eq!(normalized("12:05 pm"), "2026-03-14 12:05:00");
        assert_eq!(normalized("04:05 am"), "2026-03-14 04:05:00");
    }

    #[test]
    fn every_code_has_its_meaning() {
        for (format, expected) in [
            ("yyyy yyy yy y", "2023 2023 23 y"),
            ("MMMM MMM MM M", "February Feb 02 2"),
            ("dddd ddd dd d", "Friday Fri 03 3"),
            ("hh h HH H", "02 2 14 14"),
            ("mm m ss s", "05 5 09 9"),
            ("ss.fff.FFF.", "09.000.."),
            ("tt t gg g", "PM P A.D. A.D."),
            ("MMMMM ddddd hhh", "February2 Friday3 022"),
            ("fffffff", "0000000"),
            ("h:mm/é z", "2:05/é z"),
            ("\\ymd \\\\", "y53 \\"),
        ] {
            assert_eq!(formatted(format), expected, "{format:?}");
        }
    }

    #[test]
    fn midnight_and_noon_are_twelve() {
        let calendar = utc();
        assert_eq!(calendar.format(0.0, "h tt"), "12 AM");
        assert_eq!(calendar.format(43200.0, "h tt"), "12 PM");
    }

    #[test]
    fn a_single_character_names_a_standard_format() {
        for (format, expected) in [
            ("d", "02/03/23"),
            ("D", "Friday, 03 February 2023"),
            ("f", "Friday, 03 February 2023 14:05"),
            ("U", "Friday, 03 February 2023 14:05:09"),
            ("g", "02/03/23 14:14 PM"),
            ("G", "02/03/23 14:05:09"),
            ("m", "3 February"),
            ("o", "2023-02-03T14:05:09.0000000"),
            ("r", "Fri, 03 Feb 2023 14:05:09 GMT"),
            ("s", "2023-02-03T14:05:09"),
            ("u", "2023-02-03 14:05:09Z"),
            ("t", "14:05"),
            ("T", "14:05:09"),
            ("y", "2023 February"),
            ("", "Fri Feb  3 14:05:09 2023"),
            ("x", ""),
            ("%", ""),
            ("%d", "3"),
        ] {
            assert_eq!(formatted(format), expected, "{format:?}");
        }
    }

    #[test]
    fn quoted_text_is_literal() {
        assert_eq!(formatted("'day' d \"\\\"M\\\"\" 'y"), "day 3 \"M\" y");
    }

    #[test]
    fn a_date_too_far_away_has_no_text() {
        assert_eq!(utc().format(1e300, DEFAULT_FORMAT), "");
        assert_eq!(utc().format(f64::NEG_INFINITY, DEFAULT_FORMAT), "");
    }
}
