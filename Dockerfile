# The pipelines of fashion-dgm with the versions in constraints.txt. From the repository:
#   docker build --tag fashion-dgm .
#   docker run --rm --volume "$PWD/data:/project/data" fashion-dgm                        # every default pipeline, small
#   docker run --rm --volume "$PWD/data:/project/data" fashion-dgm --env quick --pipelines data_split,train_gan
# On a machine without NVIDIA GPUs, name the index of PyTorch's CPU wheels (see pytorch.org), which saves 4 GB:
#   docker build --tag fashion-dgm --build-arg PIP_EXTRA_INDEX_URL=... .
FROM python:3.11-slim

# pip reads it from the environment of the build.
ARG PIP_EXTRA_INDEX_URL=""
WORKDIR /project
COPY pyproject.toml constraints.txt README.md LICENSE .telemetry ./
COPY src src
RUN pip install --no-cache-dir --constraint constraints.txt --editable '.[viz]'
COPY conf conf
COPY docs/results/reference docs/results/reference
# MLflow looks for git, which the image lacks, as it has no history to name a commit of.
ENV GIT_PYTHON_REFRESH=quiet MLFLOW_DISABLE_TELEMETRY=true PYTHONUNBUFFERED=1
VOLUME /project/data
ENTRYPOINT ["kedro", "run"]
CMD ["--env", "quick"]
