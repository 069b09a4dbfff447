import pickle

import pytest

from vis_pipeline.masks.run_lengths import DamagedRleError
from vis_pipeline.masks.track_iou import DamagedTrackError


@pytest.mark.parametrize("error", [DamagedRleError("runs do not add up", 3), DamagedTrackError(2, 5, "no mask")])
def test_errors_survive_the_way_from_a_worker(error):
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert vars(back) == vars(error)
