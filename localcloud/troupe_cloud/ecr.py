"""A tag that no image has is an error.

What AWS does (ECR API reference, DescribeImages): ``ImageNotFoundException`` when an image that is
asked for is not in the repository. MiniStack leaves it out of the answer.

Without it fails: ``test_states.py::test_a_tag_that_no_image_has``
"""

from ministack.core.responses import error_response_json
from ministack.services import ecr

from troupe_cloud.patching import patch, require

require(ecr, "_find_image", "_repositories")


@patch(ecr, "_describe_images")
def describe_images(original, data):
    name = data.get("repositoryName", "")
    for wanted in data.get("imageIds") or []:
        if name in ecr._repositories and not ecr._find_image(name, wanted):
            shown = ", ".join(f"{key}:'{value}'" for key, value in sorted(wanted.items()))
            return error_response_json(
                "ImageNotFoundException",
                f"The image with imageId {{{shown}}} does not exist within the repository with "
                f"name '{name}' in the registry with id '{ecr._registry_id()}'",
                400,
            )
    return original(data)
