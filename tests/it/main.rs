//! The tests that run a real server or the binary, and those of the shipped files.

#[cfg(test)]
mod assistants_command;
#[cfg(test)]
mod bad_files;
#[cfg(test)]
mod batch;
#[cfg(test)]
mod chaos_run;
#[cfg(test)]
mod check_command;
mod connectors_command;
mod crowd;
#[cfg(test)]
mod diagnostics;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod door_auth;
#[cfg(test)]
mod door_bad_input;
#[cfg(test)]
mod door_bodies;
#[cfg(test)]
mod door_pages;
#[cfg(test)]
mod door_stop;
#[cfg(test)]
mod door_tls;
#[cfg(test)]
mod fallback;
#[cfg(test)]
mod guards;
#[cfg(test)]
mod language_data;
#[cfg(test)]
mod language_flow;
#[cfg(test)]
mod language_forms;
mod language_kept;
#[cfg(test)]
mod language_ladder;
#[cfg(test)]
mod language_messages;
#[cfg(test)]
mod language_outcomes;
#[cfg(test)]
mod language_rasa;
#[cfg(test)]
mod language_tests;
#[cfg(test)]
mod language_time;
#[cfg(test)]
mod language_values;
#[cfg(test)]
mod messages_command;
#[cfg(test)]
mod native;
mod new_command;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod outbox_command;
#[cfg(test)]
mod parity;
#[cfg(test)]
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(test)]
mod privacy;
#[cfg(test)]
#[cfg(all(feature = "postgres", feature = "redis"))]
mod privacy_servers;
#[cfg(test)]
mod recording;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod rehearsal;
#[cfg(test)]
mod reload;
#[cfg(test)]
mod reload_front;
#[cfg(test)]
#[cfg(feature = "postgres")]
mod replicas;
#[cfg(test)]
mod schemas;
#[cfg(test)]
#[cfg(all(feature = "postgres", feature = "redis"))]
mod second_level;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod shipped;
#[cfg(test)]
mod slow;
#[cfg(test)]
mod slow_calls;
#[cfg(test)]
mod slow_memory;
#[cfg(test)]
mod stores;
mod stories;
#[cfg(test)]
mod stories_live;
#[cfg(test)]
mod support;
#[cfg(test)]
mod try_command;
#[cfg(test)]
mod undo;
#[cfg(test)]
mod undo_shown;
#[cfg(test)]
mod vendors;
#[cfg(test)]
mod verification;
#[cfg(test)]
mod writes;
