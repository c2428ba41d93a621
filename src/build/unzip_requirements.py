# Makes what is packed as .requirements.zip beside the handler importable: it is unpacked below /tmp
# once in each environment, and stands in sys.path behind the handler's own folder.
import os
import shutil
import sys
import zipfile

folder = "/tmp/sls-py-req"
sys.path.insert(1, folder)

if not os.path.exists(folder):
    unfinished = "/tmp/_temp-sls-py-req"
    if os.path.exists(unfinished):
        shutil.rmtree(unfinished)
    root = os.environ.get("LAMBDA_TASK_ROOT", os.getcwd())
    if os.environ.get("IS_LOCAL") == "true":
        root = os.getcwd()
    with zipfile.ZipFile(os.path.join(root, ".requirements.zip")) as packed:
        packed.extractall(unfinished)
    os.rename(unfinished, folder)
