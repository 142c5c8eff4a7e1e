//! stub
use crate::{name::*,fault::Fault,time::*,rasa::Object,plan::connector::Connection};
use std::{sync::Arc,path::Path};
#[derive(Clone)] pub enum Given{Down}
pub fn catalogue()->Vec<crate::plan::ConnectorFile>{vec![]}
pub struct Connections; pub struct How{pub deadline:Deadline,pub refresh:bool} #[derive(Debug)] pub struct Answered{pub value:serde_json::Value,pub age:Option<std::time::Duration>}
impl Connections{ pub async fn open(_:&[Connection],_:&Path,_:Arc<dyn Clock>)->Result<Self,Vec<String>>{Ok(Self)} pub async fn open_scratch(_:&[Connection],_:&Path,_:Arc<dyn Clock>)->Result<Self,Vec<String>>{Ok(Self)} pub fn given(&mut self,_:ConnectionName,_:Given){} pub fn facts(&self)->serde_json::Value{serde_json::json!([])} pub async fn call(&self,_:&ConnectionName,_:&OperationName,_:Object,_:How)->Result<Answered,Fault>{Err(Fault::new(crate::fault::Outcome::Unavailable,"stub"))}}
