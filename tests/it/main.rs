//! The tests that run a real server, and those of the shipped files.

mod support;

mod door_auth;
mod door_bad_input;
mod door_bodies;
mod door_pages;
mod door_stop;
mod door_tls;
mod shipped;
