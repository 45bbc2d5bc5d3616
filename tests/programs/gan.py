"""Steps of a GAN: two networks, two optimisers, detached samples."""

import torch
import torch.nn as nn
from torch.autograd import Variable

torch.manual_seed(2)
cuda = True if torch.cuda.is_available() else False
Tensor = torch.cuda.FloatTensor if cuda else torch.FloatTensor


class Generator(nn.Module):
    def __init__(self):
        super().__init__()

        def block(in_feat, out_feat, normalize=True):
            layers = [nn.Linear(in_feat, out_feat)]
            if normalize:
                layers.append(nn.BatchNorm1d(out_feat, 0.8))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            return layers

        self.model = nn.Sequential(*block(4, 8, normalize=False), *block(8, 16), nn.Linear(16, 9), nn.Tanh())

    def forward(self, z):
        img = self.model(z)
        return img.view(img.size(0), 1, 3, 3)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(9, 8), nn.LeakyReLU(0.2, inplace=True), nn.Linear(8, 1), nn.Sigmoid())

    def forward(self, img):
        return self.model(img.view(img.size(0), -1))


adversarial_loss = nn.BCELoss()
generator, discriminator = Generator(), Discriminator()
optimizer_G = torch.optim.Adam(generator.parameters(), lr=0.01, betas=(0.5, 0.999))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=0.01, betas=(0.5, 0.999))
real = torch.rand(16, 1, 3, 3) * 2 - 1
for i in range(6):
    valid = Variable(Tensor(16, 1).fill_(1.0), requires_grad=False)
    fake = Variable(Tensor(16, 1).fill_(0.0), requires_grad=False)
    optimizer_G.zero_grad()
    z = Variable(torch.randn(16, 4))
    gen_imgs = generator(z)
    g_loss = adversarial_loss(discriminator(gen_imgs), valid)
    g_loss.backward()
    optimizer_G.step()
    optimizer_D.zero_grad()
    d_loss = (
        adversarial_loss(discriminator(real), valid) + adversarial_loss(discriminator(gen_imgs.detach()), fake)
    ) / 2
    d_loss.backward()
    optimizer_D.step()
    print("[Batch %d/%d] [D loss: %f] [G loss: %f]" % (i, 6, d_loss.item(), g_loss.item()))
print(generator)
up = nn.Sequential(nn.ConvTranspose2d(4, 3, 3, stride=2, bias=False), nn.BatchNorm2d(3), nn.ReLU(True))
print(up(torch.randn(2, 4, 1, 1))[0, 0])
