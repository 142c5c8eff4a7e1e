//! The tests that run a real server, and those of the shipped files.

#[cfg(test)]
mod support;

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
mod shipped;
