# docker build -t pair-comparison . && docker run --rm -p 8501:8501 -v pair-runs:/app/cached_runs pair-comparison
FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN useradd --create-home --uid 1000 pair && install --directory --owner pair /app
WORKDIR /app

# PyTorch's own index has the same version built for processors alone, which pip prefers: gigabytes less than with CUDA.
COPY requirements.txt ./
RUN pip install --extra-index-url https://download.pytorch.org/whl/cpu --requirement requirements.txt

USER pair
COPY --chown=pair streamlit_app.py ./
COPY --chown=pair .streamlit .streamlit
COPY --chown=pair core core
COPY --chown=pair pages pages
COPY --chown=pair data data
COPY --chown=pair cached_runs cached_runs
RUN python -c "from core.mnist.files import unpack_mnist; unpack_mnist()"

# A named volume begins with the shipped runs; a folder of the host's, in its place, must be writable for user 1000.
VOLUME /app/cached_runs
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/health', timeout=4)"]
CMD ["streamlit", "run", "streamlit_app.py", "--server.address=0.0.0.0", "--server.port=8501"]
