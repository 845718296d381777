/// The deliveries that Keyover ships with; a new one is one file and one line here.
public enum DeliveryRegistry {
    /// Every delivery.
    public static let all: [any Delivery] = [
        CommandDelivery()
    ]

    /// The deliveries by kind, as ``EngineParts/deliveries`` wants them.
    public static var byKind: [String: any Delivery] {
        Dictionary(all.map { (type(of: $0).kind, $0) }) { first, _ in first }
    }
}
