//! Which ways are gone and which aren't, of whoever says so.

use super::*;

fn outward(leads: &[SocketAddr]) -> HttpCourier<Fake> {
    let (ca, fake) = (Path::new(""), Fake::to(leads));
    HttpCourier::with(Reach::Public, ca, Patience::DEFAULT, fake).unwrap()
}

fn at(address: &str) -> SocketAddr {
    SocketAddr::new(address.parse().unwrap(), 443)
}

#[tokio::test]
async fn hostile_urls_lead_nowhere() {
    let courier = HttpCourier::new(Reach::Public, Path::new("")).unwrap();
    for host in [
        "localhost",
        "127.0.0.1",
        "127.0.0.1:8080",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "0",
        "0.0.0.0",
        "10.0.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "169.254.169.254/latest/meta-data",
        "169.254.43518",
        "172.16.0.1",
        "192.168.1.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a00:1]",
        "[64:ff9b::7f00:1]",
        "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
        "[2002:7f00:1::]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[ff02::1]",
    ] {
        let told = courier.way(&format!("https://{host}")).await.unwrap_err().to_string();
        assert!(told.contains("not on the public internet"), "{host}: {told}");
    }
}

#[tokio::test]
async fn one_refused_address_refuses_the_name() {
    let good = at("93.184.215.14");
    let (_, addresses) = outward(&[good]).way("https://hook.example/").await.unwrap();
    assert_eq!(addresses, [good]);
    for inner in ["127.0.0.1", "::1", "10.1.2.3", "::ffff:10.1.2.3"] {
        for leads in [[good, at(inner)], [at(inner), good]] {
            let error = outward(&leads).way("https://hook.example/").await.unwrap_err();
            assert!(matches!(&error, CourierError::Later(why) if why.contains(inner)), "{error}");
        }
    }
    let error = outward(&[]).way("https://hook.example/").await.unwrap_err();
    assert!(matches!(error, CourierError::Later(_)), "{error}");
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_a_moment_later_changes_nothing() {
    let (listener, address) = receiver().await;
    let courier = courier(LONG, LONG, address);
    let parcel = parcel("http://rebinds.example:9/in");
    let receiving = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        heard(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    };
    let (receipt, ()) = tokio::join!(courier.post(&parcel), receiving);
    assert_eq!(receipt.unwrap().status, 200, "it went to the address that was judged");
    assert_eq!(courier.names.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn behind_an_address_that_takes_nothing_the_next_is_tried() {
    let (listener, address) = receiver().await;
    // Bound and not listening: refused at once.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let patience = Patience { connection: LONG, whole: LONG, body: LONG };
    let names = Fake::to(&[closed, address]);
    let courier = HttpCourier::with(Reach::Anywhere, Path::new(""), patience, names).unwrap();
    let parcel = parcel("http://hook.example/");
    let receiving = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        heard(&mut stream).await;
        stream.write_all(b"HTTP/1.1 204 Taken\r\n\r\n").await.unwrap();
    };
    let (receipt, ()) = tokio::join!(courier.post(&parcel), receiving);
    assert_eq!(receipt.unwrap().status, 204);
    let error = self::courier(LONG, LONG, closed).post(&parcel).await.unwrap_err();
    assert!(matches!(error, CourierError::Later(_)), "{error}");
}

#[test]
fn what_is_admitted_depends_on_the_setting_and_on_how_this_was_built() {
    let (public, anywhere) = (outward(&[]), courier(LONG, LONG, at("127.0.0.1")));
    assert_eq!(public.admits("https://example.com/").is_ok(), cfg!(feature = "production"));
    assert!(public.admits("http://example.com/").is_err());
    assert!(anywhere.admits("http://127.0.0.1:9000/hook").is_ok());
    assert!(anywhere.admits("gopher://127.0.0.1/").is_err());
}
