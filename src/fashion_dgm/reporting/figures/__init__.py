"""The figures of the report: pure functions of arrays and tables that return matplotlib figures.

None of them touches pyplot, so none leaves a figure open or needs a display. Values that are not finite are left out of
curves and shown in vermillion in images.

References:
    Okabe and Ito, Color Universal Design (2008): the palette.
    Tufte, The Visual Display of Quantitative Information (1983): labels next to the data, small multiples.
"""

from fashion_dgm.reporting.figures.fid import *
from fashion_dgm.reporting.figures.gradients import *
from fashion_dgm.reporting.figures.images import *
from fashion_dgm.reporting.figures.latents import *
from fashion_dgm.reporting.figures.likelihood import *
from fashion_dgm.reporting.figures.log_det import *
from fashion_dgm.reporting.figures.ood import *
from fashion_dgm.reporting.figures.published import *
from fashion_dgm.reporting.figures.roulette import *
from fashion_dgm.reporting.figures.stability import *
from fashion_dgm.reporting.figures.training import *
