//! The flags of `serve`: those of the reference server under their names, and a few of our own. It reads them and says which
//! of them cannot be followed; what they lead to is the business of others.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args};
use serde_json::Value;

use crate::plan::connector::StagedAt;
use crate::secret::Secret;
use crate::server::TlsFiles;
use crate::telemetry::{Format, Logging};
use crate::time::duration;

/// The flags of `legwork serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeFlags {
    /// Port to listen on; 5055 unless this or legwork.yml says otherwise
    #[arg(short, long)]
    pub port: Option<u16>,

    /// Address to listen on; loopback unless this or `server.auth` of the configuration is set
    #[arg(long, env = "SANIC_HOST", value_name = "ADDRESS")]
    pub host: Option<String>,

    /// Origins that browsers may call from; * for all
    #[arg(long, num_args = 0.., value_name = "ORIGIN")]
    pub cors: Vec<String>,

    /// Directory with the actions
    #[arg(long, alias = "actions-module", value_name = "DIR")]
    pub actions: Option<PathBuf>,

    /// The legwork.yml to read
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Certificate for TLS, PEM
    #[arg(long, value_name = "FILE")]
    pub ssl_certificate: Option<PathBuf>,

    /// Private key of the certificate, PEM
    #[arg(long, value_name = "FILE", requires = "ssl_certificate")]
    pub ssl_keyfile: Option<PathBuf>,

    /// Password of the private key, when it is encrypted
    #[arg(long, value_name = "PASSWORD", requires = "ssl_certificate", value_parser = hidden)]
    pub ssl_password: Option<Secret>,

    /// Certificates of the authorities that clients' certificates have to come from, PEM
    #[arg(long, value_name = "FILE", requires = "ssl_certificate")]
    pub ssl_ca_file: Option<PathBuf>,

    /// Take changes of the project's files while it is served, also with `profile: production`; others do it anyway
    #[arg(long)]
    pub auto_reload: bool,

    /// The assistant's endpoints.yml
    #[arg(long, value_name = "FILE", default_value = "endpoints.yml")]
    pub endpoints: PathBuf,

    /// Speak gRPC instead of HTTP (not built)
    #[arg(long)]
    pub grpc: bool,

    /// Let a system fail on purpose: CONNECTION=FAULT, or CONNECTION.OPERATION=FAULT, where FAULT is down, slow:8s,
    /// rate_limited, rate_limited:30s, wrong_data or flaky:30%. May be given several times; refused by `profile: production`
    #[arg(long = "fault", value_name = "CONNECTION=FAULT")]
    pub faults: Vec<StagedAt>,

    /// Keep a recording of every turn in this folder, without the people in it; refused by `profile: production` unless
    /// --record-in-production is there as well
    #[arg(long, value_name = "DIR")]
    pub record: Option<PathBuf>,

    /// How long recordings are kept, such as 12h or 7d
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = duration, requires = "record")]
    pub record_for: Duration,

    /// Record although the profile is production
    #[arg(long, requires = "record")]
    pub record_in_production: bool,

    /// Log more: -v as by default, -vv for debugging
    #[arg(short, long, action = ArgAction::Count, conflicts_with_all = ["quiet", "debug"])]
    pub verbose: u8,

    /// The same as -vv
    #[arg(long, conflicts_with = "quiet")]
    pub debug: bool,

    /// Log warnings and errors only
    #[arg(long)]
    pub quiet: bool,

    /// File that gets the log as well, as JSON lines
    #[arg(long, value_name = "FILE")]
    pub log_file: Option<PathBuf>,

    /// Python logging configuration of the reference server (not taken)
    #[arg(long = "logging-config_file", alias = "logging-config-file", value_name = "FILE")]
    pub logging_config_file: Option<PathBuf>,

    /// Directives of the log in place of all the above, such as info,legwork=debug
    #[arg(long, env = "RUST_LOG", value_name = "DIRECTIVES", hide_env_values = true)]
    pub log_filter: Option<String>,

    /// Log level of libraries: DEBUG, INFO, WARNING, ERROR or CRITICAL
    #[arg(long, env = "LOG_LEVEL_LIBRARIES", value_name = "LEVEL", hide = true)]
    pub library_log_level: Option<String>,

    /// Number of workers of the reference server
    #[arg(long, env = "ACTION_SERVER_SANIC_WORKERS", value_name = "NUMBER", hide = true)]
    pub sanic_workers: Option<String>,
}

impl ServeFlags {
    /// What these flags ask for that cannot be had; the server has to say it and exit with 2 rather than run without.
    /// `endpoints` is the parsed endpoints.yml, null when there is none.
    #[must_use]
    pub fn refused(&self, endpoints: &Value) -> Vec<String> {
        let mut refused = Vec::new();
        if self.grpc {
            refused.push(
                "--grpc is not built yet: leave it out, and write the action_endpoint of endpoints.yml with http://"
                    .to_owned(),
            );
        }
        if let Some(file) = &self.logging_config_file {
            refused.push(format!(
                "--logging-config_file {} configures Python's logging, which this server does not have: leave it out; \
                 --log-file, -vv, --quiet and --log-filter choose what is logged",
                file.display()
            ));
        }
        if endpoints.get("tracing").is_some_and(|tracing| !tracing.is_null()) {
            refused.push(format!(
                "`tracing:` in {} is not built yet: take it out, or name another file in --endpoints",
                self.endpoints.display()
            ));
        }
        refused
    }

    /// What these flags ask for that changes nothing here, for a word in the log.
    #[must_use]
    pub fn ignored(&self) -> Vec<String> {
        let workers = self.sanic_workers.as_ref().filter(|workers| workers.trim() != "1");
        workers
            .map(|_| "ACTION_SERVER_SANIC_WORKERS changes nothing: one process uses every core".to_owned())
            .into_iter()
            .collect()
    }

    /// The files of TLS, when a certificate is named.
    #[must_use]
    pub fn tls(&self) -> Option<TlsFiles> {
        Some(TlsFiles {
            certificate: self.ssl_certificate.clone()?,
            key: self.ssl_keyfile.clone(),
            password: self.ssl_password.clone(),
            client_authorities: self.ssl_ca_file.clone(),
        })
    }

    /// What to log, and where to.
    #[must_use]
    pub fn logging(&self) -> Logging {
        let filter = self.log_filter.clone().filter(|filter| !filter.trim().is_empty()).unwrap_or_else(|| {
            let level = if self.quiet {
                "warn"
            } else if self.debug || self.verbose > 1 {
                "debug"
            } else {
                "info"
            };
            format!("{},legwork={level}", self.libraries())
        });
        Logging { filter, format: Format::Auto, file: self.log_file.clone() }
    }

    /// Python's level for libraries as `tracing` calls it; errors only, unless something else is asked for.
    fn libraries(&self) -> &'static str {
        match self.library_log_level.as_deref().unwrap_or_default().to_ascii_uppercase().as_str() {
            "DEBUG" => "debug",
            "INFO" => "info",
            "WARNING" | "WARN" => "warn",
            _ => "error",
        }
    }
}

/// A flag's value that is not to be shown.
fn hidden(value: &str) -> Result<Secret, Infallible> {
    Ok(Secret::new(value.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        serve: ServeFlags,
    }

    fn flags(line: &str) -> ServeFlags {
        Command::try_parse_from(std::iter::once("serve").chain(line.split_whitespace())).unwrap().serve
    }

    #[test]
    fn a_line_of_the_reference_server_is_understood() {
        let flags = flags(
            "--actions actions -p 5056 --cors * https://a.test --endpoints e.yml --ssl-certificate c.pem --ssl-keyfile k.pem -vv --log-file x.log",
        );
        assert_eq!((flags.port, flags.cors.len(), flags.host.is_none()), (Some(5056), 2, true));
        assert_eq!(flags.actions, Some("actions".into()));
        let tls = flags.tls().unwrap();
        assert_eq!((tls.key, tls.password.is_none(), tls.client_authorities), (Some("k.pem".into()), true, None));
        assert_eq!(flags.logging().file, Some("x.log".into()));
        assert_eq!(flags.refused(&Value::Null), [""; 0]);
    }

    #[test]
    fn the_password_of_the_key_is_not_shown() {
        let flags = flags("--ssl-certificate c.pem --ssl-keyfile k.pem --ssl-password hunter2");
        assert_eq!(flags.tls().unwrap().password.unwrap().expose(), "hunter2");
        assert!(!format!("{flags:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_not_built_is_refused_with_a_way_on() {
        let refused = flags("--grpc --logging-config_file l.yml").refused(&json!({"tracing": {"type": "otlp"}}));
        assert_eq!(refused.len(), 3);
        assert!(refused.iter().all(|text| text.contains(": leave it out") || text.contains(": take it out")), "{refused:?}");
        assert_eq!(flags("").refused(&json!({"action_endpoint": {"url": "x"}, "tracing": null})), [""; 0]);
    }

    #[test]
    fn levels_follow_the_flags() {
        assert_eq!(flags("").logging().filter, "error,legwork=info");
        assert_eq!(flags("-v").logging().filter, "error,legwork=info");
        assert_eq!(flags("-vv").logging().filter, "error,legwork=debug");
        assert_eq!(flags("--debug").logging().filter, "error,legwork=debug");
        assert_eq!(flags("--quiet --library-log-level WARNING").logging().filter, "warn,legwork=warn");
        assert_eq!(flags("--log-filter trace").logging().filter, "trace");
    }

    #[test]
    fn flags_that_contradict_each_other_are_refused() {
        for line in ["-v --quiet", "--debug --quiet", "--ssl-keyfile k.pem", "--port 70000"] {
            assert!(Command::try_parse_from(std::iter::once("serve").chain(line.split_whitespace())).is_err(), "{line}");
        }
    }

    #[test]
    fn the_number_of_workers_is_ignored_with_a_word() {
        assert_eq!(flags("--sanic-workers 4").ignored().len(), 1);
        assert_eq!(flags("--sanic-workers 1").ignored().len(), 0);
    }
}
