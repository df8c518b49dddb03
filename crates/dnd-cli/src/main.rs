//! stub
use dnd_train::{collect::*, models::*, task::*, Observer};
struct P; impl Observer for P { fn begin(&self,s:&str,u:u64){eprintln!("{s} {u}")} fn advance(&self,_:u64,m:&str){eprint!("{m} ")} fn note(&self,m:&str){eprintln!("\n{m}")} fn is_cancelled(&self)->bool{false} }
fn main(){
 let a:Vec<String>=std::env::args().collect();
 let (d,_)=dnd_model::device::device("cpu").unwrap();
 let base=Base::open(&default_base(),&d).unwrap();
 let t=TaskFolder::open(std::path::Path::new(&a[1])).unwrap();
 let o=CollectOptions{only:a[3].split(',').map(str::to_owned).collect(),rank:8,alpha:16.0,targets:dnd_adapter::Projection::ALL.to_vec(),settings:TuneSettings{steps:a[4].parse().unwrap(),snapshots:a[5].parse().unwrap(),..Default::default()},shard:a[6].parse().unwrap()};
 collect(&base,&t,std::path::Path::new(&a[2]),&o,&P).unwrap();
}
