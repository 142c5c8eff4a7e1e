//! The tests that run a real server or the binary, and those of the shipped files.

#[cfg(test)]
mod support;

mod bad_files;
mod check_command;
mod diagnostics;
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
mod schemas;
mod shipped;
