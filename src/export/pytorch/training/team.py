"""The processes that train together."""

import os
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel


class Team:
    """The processes that train together: one, or those that torchrun started."""

    def __init__(self, device):
        self.size = int(os.environ.get("WORLD_SIZE", 1))
        self.rank = int(os.environ.get("RANK", 0))
        uses_gpu = torch.cuda.is_available() if device is None else device.startswith("cuda")
        local = int(os.environ.get("LOCAL_RANK", 0))
        self.device = torch.device(device or ("cuda" if uses_gpu else "cpu"))
        if uses_gpu and self.size > 1:
            self.device = torch.device("cuda", local)
            torch.cuda.set_device(self.device)
        if self.size > 1:
            # A pause may last.
            dist.init_process_group("nccl" if uses_gpu else "gloo", timeout=timedelta(days=30))

    @property
    def leads(self):
        return self.rank == 0

    def sum(self, *values):
        """The sums of numbers over all processes."""
        numbers = torch.tensor(values, dtype=torch.float64, device=self.device)
        if self.size > 1:
            dist.all_reduce(numbers)
        return numbers.tolist()

    def sum_tensor(self, tensor):
        if self.size > 1:
            tensor = tensor.clone()
            dist.all_reduce(tensor)
        return tensor

    def told(self, commands):
        """What the first process was asked, told to all."""
        told = [commands]
        if self.size == 1:
            return commands
        dist.broadcast_object_list(told, src=0, device=self.device)
        return told[0]

    def share(self, batch):
        """This process's part of a batch; at least one image, since every process takes every step."""
        own = batch[self.rank :: self.size]
        return own if len(own) else batch[:1]

    def part(self):
        """Ends the communication, when all have come to the end."""
        dist.barrier()
        dist.destroy_process_group()

    def counts(self, batch):
        """Whether this process's part of a batch is not only there to take the step."""
        return self.rank < len(batch)

    def distributed(self, route):
        if self.size == 1 or not any(parameter.requires_grad for parameter in route.parameters()):
            return route
        if self.device.type == "cuda":
            route = nn.SyncBatchNorm.convert_sync_batchnorm(route)
        return DistributedDataParallel(route)
