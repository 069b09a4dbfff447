"""SiamFC with AlexNet, from scratch as SiamFC was: 50 epochs with rates from 1e-2 to 1e-5."""

_base_ = ["./siamfc_r50.py"]

architecture = "siamfc_alexnet"
init = None
learning = dict(_delete_=True)
schedule = dict(epochs=50, warm_up_epochs=0, start_rate=1e-2, learning_rate=1e-2, final_rate=1e-5, weight_decay=5e-4)
