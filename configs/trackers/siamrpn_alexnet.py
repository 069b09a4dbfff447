"""SiamRPN with AlexNet, from scratch, by the rates of `siamfc_alexnet`."""

_base_ = ["./siamrpn_r50.py"]

architecture = "siamrpn_alexnet"
init = None
learning = dict(_delete_=True)
schedule = dict(epochs=50, warm_up_epochs=0, start_rate=1e-2, learning_rate=1e-2, final_rate=1e-5, weight_decay=5e-4)
