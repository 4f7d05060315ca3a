//! What fulfils the ports, one folder a driver. Nobody but `boot` names these.

pub mod documents;
